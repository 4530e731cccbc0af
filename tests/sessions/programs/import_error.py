"""A module that cannot be imported fails at once."""

# /// session
# state = "ERROR"
# error = ['File "program.py", line 14, in on_trigger', "ModuleNotFoundError: No module named 'there_is_no_such_module'"]
# prints = '''
# before
# '''
# ///


def on_trigger(event):
    print("before")
    import there_is_no_such_module

    there_is_no_such_module.work()
