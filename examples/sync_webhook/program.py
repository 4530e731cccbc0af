from autokitteh import http_outcome, next_event, subscribe


def on_first(_):
    """Let whoever sent the first request wait for the second, and answer with what that says."""
    answers = subscribe("second")
    print("the first has come")
    answer = next_event(answers)
    print("the second has come")
    http_outcome(body=answer.data.body.text)
