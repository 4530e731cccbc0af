"""The exceptions of the SDK: what user code may see, and may catch.

AutoKittehError
├── ConnectionInitError, EnvVarError, OAuthRefreshError, AtlassianOAuthError     a connection is not usable
├── DurableOnlyError, NotInActivityError                                         called where it cannot work
├── UnpicklableResultError, ResultTooLargeError                                  an activity's result cannot be kept
├── ActivityInterruptedError                                                     nobody knows whether it was completed
└── NonDeterminismError                                                          replay took another way
AuthenticationError                                                              not a failure of AutoKitteh

All survive pickle: `args` are the constructor's arguments, and the text is made from them. The remedy of an error
with a fixed text is a note, which tracebacks show.
"""


class AutoKittehError(Exception):
    """Something that AutoKitteh was asked for could not be done. The message says what to do about it."""

    def __init__(self, message: str = "") -> None:
        super().__init__(*([message] if message else []))

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else _contract(type(self))


class ConnectionInitError(AutoKittehError):
    """A connection was never given its credentials.

    Its credentials are vars: set them with `ak var set PROJECT/CONNECTION NAME`, and run the session again.
    """

    def __init__(self, connection: str) -> None:
        Exception.__init__(self, connection)
        self.connection = connection
        self.add_note(f"Give it its credentials with: ak var set PROJECT/{connection} NAME --secret")

    def __str__(self) -> str:
        return f"AutoKitteh connection {self.connection!r} not initialized"


class EnvVarError(AutoKittehError):
    """A variable that the code reads from its environment is missing or cannot be used.

    Set it in the manifest or with `ak var set`, and run the session again.
    """

    def __init__(self, env_var: str, desc: str = "missing") -> None:
        Exception.__init__(self, env_var, desc)
        self.env_var = env_var
        self.desc = desc
        self.add_note("Set it in the manifest's vars or with `ak var set`; a connection's, by initialising it.")

    def __str__(self) -> str:
        return f"Environment variable {self.env_var!r} is {self.desc}"


class OAuthRefreshError(AutoKittehError):
    """The access token of a connection has expired, and the provider gave no new one.

    Often access was revoked there: initialise the connection again.
    """

    def __init__(self, connection: str, error: object) -> None:
        # As text: what the provider's client raised might not survive pickle.
        Exception.__init__(self, connection, str(error))
        self.connection = connection
        self.error = str(error)
        self.add_note(f"Give it new credentials with: ak var set PROJECT/{connection} NAME --secret")

    def __str__(self) -> str:
        return f"OAuth token of AutoKitteh connection {self.connection!r} not refreshed: {self.error}"


class AtlassianOAuthError(AutoKittehError):
    """An Atlassian client that takes only an API token was asked for, and the connection uses OAuth.

    The clients for Jira and Confluence take OAuth, and no helper raises this any more: it is here for code that catches
    it. Initialise the connection with an API token or a personal access token instead.
    """

    def __init__(self, connection: str) -> None:
        Exception.__init__(self, connection)
        self.connection = connection
        self.add_note("Initialise it with an API token or a personal access token instead of OAuth.")

    def __str__(self) -> str:
        return f"AutoKitteh connection {self.connection!r} uses OAuth, which this Atlassian client does not support"


class DurableOnlyError(AutoKittehError):
    """This function needs a durable session, and this session is not durable.

    Mark the trigger durable in the manifest, or start the session with `--durable`.
    """


class NotInActivityError(AutoKittehError):
    """This function cannot be called from inside an activity.

    An activity is one call whose result is recorded; waiting and the session's other effects belong in the code that
    calls it. Move the call out of the function marked with `@autokitteh.activity`.
    """


class UnpicklableResultError(AutoKittehError):
    """The result of an activity cannot be recorded, for it cannot be pickled.

    Put the code that needs it into one function marked with `@autokitteh.activity`, and return plain data from it;
    or teach pickle the type with `copyreg.pickle`.
    """


class ActivityInterruptedError(AutoKittehError):
    """A crash left open whether this activity was completed, and it is marked not to be called again.

    Look whether it took effect, and catch this error where the answer is known; or mark the activity
    `on_unknown="retry"`.
    """


class ResultTooLargeError(AutoKittehError):
    """The result of an activity is larger than this installation keeps.

    Return the part that is needed, write the rest to a file or a service, or raise the configured limit.
    """


class NonDeterminismError(AutoKittehError):
    """On replay the code asked for something else than the journal says it did the first time.

    Usual causes: code that changed, a clock or random numbers read in a way that is not recorded, the order of a set,
    an environment that differs. Put what may differ into a function marked with `@autokitteh.activity`.
    """


class AuthenticationError(Exception):
    """A service refused the credentials of a connection, for the `reason` given.

    Set the connection's vars to credentials that are valid with `ak var set PROJECT/CONNECTION NAME`.
    """

    def __init__(self, connection: str, reason: object) -> None:
        super().__init__(connection, str(reason))
        self.connection = connection
        self.reason = str(reason)
        self.add_note(f"See which credentials it has with: ak var list PROJECT/{connection}")

    def __str__(self) -> str:
        return f"Authentication of AutoKitteh connection {self.connection!r} failed: {self.reason}"


def _contract(error: type[AutoKittehError]) -> str:
    """The text of an error that was raised without one: its docstring, as one line. It is missing under -OO."""
    return " ".join((error.__doc__ or error.__name__).split())
