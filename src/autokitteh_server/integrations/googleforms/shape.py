"""What forms and responses to them are as data. Answers are by the ids of their questions, as Google has them."""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import key_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.shapes import ByKey, Each, Maybe, Shape, shaped_snake, texts
from autokitteh_server.integrations.webhook import Found

_FORM: Final[Shape] = {
    **texts("form_id revision_id responder_uri linked_sheet_id"),
    "info": texts("title document_title description"),
    "settings": {"quiz_settings": {"is_quiz": False}, "email_collection_type": ""},
    "items": Each(
        {
            **texts("item_id title description"),
            **dict.fromkeys(("question_item", "question_group_item", "page_break_item")),
            **dict.fromkeys(("text_item", "image_item", "video_item")),
        }
    ),
}
_ANSWER: Final[Shape] = {
    "question_id": "",
    "grade": None,
    "text_answers": Maybe({"answers": Each(texts("value"))}),
    "file_upload_answers": Maybe({"answers": Each(texts("file_id file_name mime_type"))}),
}
_RESPONSE: Final[Shape] = {
    **texts("response_id form_id create_time last_submitted_time respondent_email"),
    "total_score": 0,
    "answers": ByKey(_ANSWER),
}


def schema_event(form: Mapping[str, Any], published: str) -> Found:
    """The form was changed."""
    form_id = text_at(form, "formId")
    return Found(
        event_type="schema",
        data={
            "event_type": "SCHEMA",
            "form_id": form_id,
            "publish_time": published,
            "form": shaped_snake(form, _FORM),
        },
        key=key_of("schema", form_id, text_at(form, "revisionId")),
        match=(match_of(FormID=form_id),),
    )


def response_event(form_id: str, response: Mapping[str, Any], published: str) -> Found:
    """Somebody has filled in the form, or has changed what they had entered."""
    submitted = text_at(response, "lastSubmittedTime") or text_at(response, "createTime")
    return Found(
        event_type="responses",
        data={
            "event_type": "RESPONSES",
            "form_id": form_id,
            "publish_time": published,
            "response": shaped_snake(response, _RESPONSE),
        },
        key=key_of("response", form_id, text_at(response, "responseId"), submitted),
        match=(match_of(FormID=form_id),),
    )
