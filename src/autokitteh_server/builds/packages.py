"""The packages that projects have without asking, in which versions, and the modules by which code knows them."""

from dataclasses import dataclass

from packaging.utils import canonicalize_name


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is promised to every project."""

    name: str  # as its makers write it
    range: str  # of its versions
    modules: tuple[str, ...]  # that code imports once it is there; each stands for its submodules, too

    @property
    def requirement(self) -> str:
        """The package with its range, as uv reads it: "slack-sdk~=3.33"."""
        return self.name + self.range


#: By name. The modules are the package's own, and those of its dependencies that are hardly used without it.
PROMISED: tuple[Package, ...] = (
    Package("anthropic", "~=0.54.0", ("anthropic",)),
    Package("asana", "~=5.0", ("asana",)),
    Package("atlassian-python-api", "~=3.41", ("atlassian",)),
    Package("auth0-python", "~=4.7", ("auth0",)),
    Package("azure-identity", "~=1.19", ("azure.core", "azure.identity", "msal")),
    Package("beautifulsoup4", "~=4.12", ("bs4", "soupsieve")),
    Package("boto3", "~=1.35", ("boto3", "botocore", "s3transfer")),
    Package("discord.py", "~=2.5", ("discord",)),
    Package(
        "google-api-python-client",
        "~=2.155",
        ("apiclient", "google.api", "google.api_core", "google.rpc", "googleapiclient", "uritemplate"),
    ),
    Package("google-auth-httplib2", "~=0.2", ("google.auth", "google.oauth2", "google_auth_httplib2", "httplib2")),
    Package("google-auth-oauthlib", "~=1.2", ("google_auth_oauthlib", "requests_oauthlib")),
    Package("google-generativeai", "~=0.8", ("google.ai", "google.generativeai", "proto")),
    Package("grpcio", "~=1.68", ("grpc",)),
    Package("grpcio-reflection", "~=1.68", ("google.protobuf", "grpc_reflection")),
    Package("gspread", "~=6.2", ("gspread",)),
    Package("gspread-formatting", "~=1.2", ("gspread_formatting",)),
    Package("hubspot-api-client", "~=11.1", ("hubspot",)),
    Package("kubernetes", "~=31.0", ("kubernetes",)),
    Package(
        "msgraph-sdk",
        "~=1.18",
        (
            *("kiota_abstractions", "kiota_authentication_azure", "kiota_http", "kiota_serialization_form"),
            *("kiota_serialization_json", "kiota_serialization_multipart", "kiota_serialization_text"),
            *("msgraph", "msgraph_core"),
        ),
    ),
    Package("notion_client", "~=2.0", ("notion_client",)),
    Package("openai", "~=1.57", ("openai",)),
    Package("pipedrive-python-lib", "~=1.2", ("pipedrive",)),
    Package("praw", "~=7.8", ("praw", "prawcore")),
    Package("pyairtable", "~=3.1", ("pyairtable",)),
    Package("PyGithub", "~=2.6", ("github",)),
    Package("python-telegram-bot", "~=22.0", ("telegram",)),
    Package("PyYAML", "~=6.0", ("_yaml", "yaml")),
    Package("requests", "~=2.32", ("requests",)),
    Package("requests-toolbelt", "~=1.0", ("requests_toolbelt",)),
    Package("simple-salesforce", "~=1.12", ("simple_salesforce",)),
    Package("slack-sdk", "~=3.33", ("slack", "slack_sdk")),
    Package("tenacity", "~=9.0", ("tenacity",)),
    Package("twilio", "~=9.4", ("twilio",)),
)

_BY_NAME = {canonicalize_name(package.name): package for package in PROMISED}
_BY_MODULE = {module: package for package in PROMISED for module in package.modules}


def find_promised(name: str) -> Package | None:
    """The promised package of a name, in whichever of the spellings that PyPI takes for equal."""
    return _BY_NAME.get(canonicalize_name(name))


def package_of(module: str) -> Package | None:
    """The promised package that provides a dotted module; None if it is for requirements.txt to provide."""
    while module:
        if found := _BY_MODULE.get(module):
            return found
        module = module.rpartition(".")[0]
    return None


def constraints_text() -> str:
    """All promised ranges as a file of constraints for uv: nothing is installed for that, but nothing else fits."""
    return "".join(f"{package.requirement}\n" for package in PROMISED)
