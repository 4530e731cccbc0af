from os import getenv

import autokitteh
from autokitteh.google import google_sheets_client

values = google_sheets_client("sheets_conn").spreadsheets().values()

SHEET_ID = getenv("SHEET_ID")


def on_start(_):
    """Started by hand."""
    print("wrote", write([["Text", "Hello"], ["Number", -123.45], ["Formula", "=B2*B3"]]))


@autokitteh.activity
def write(rows):
    """One activity, and not two: what `update` returns cannot be kept between them, for it holds an open connection."""
    request = values.update(
        spreadsheetId=SHEET_ID,
        range=f"Sheet1!A1:B{len(rows)}",
        valueInputOption="USER_ENTERED",
        body={"values": rows},
    )
    return request.execute()["updatedRange"]
