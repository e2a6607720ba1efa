"""LangChain's standard tests for chat models, for one class and one address.

Run by pytest in the environment `langchain-tests`, with SUBJECT, BASE_URL, API_KEY and MODEL in its environment.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportMissingParameterType=false
import os

from langchain_anthropic import ChatAnthropic
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

_ADDRESS = {"base_url": os.environ["BASE_URL"], "api_key": os.environ["API_KEY"], "max_retries": 0}
_SUBJECTS = {
    "openai-chat": (ChatOpenAI, _ADDRESS | {"stream_usage": True}),
    "openai-responses": (ChatOpenAI, _ADDRESS | {"use_responses_api": True}),
    "anthropic": (ChatAnthropic, _ADDRESS),
    "google": (ChatGoogleGenerativeAI, _ADDRESS),
}
_CLASS, _PARAMETERS = _SUBJECTS[os.environ["SUBJECT"]]


class TestStandard(ChatModelIntegrationTests):
    @property
    def chat_model_class(self):
        return _CLASS

    @property
    def chat_model_params(self):
        return _PARAMETERS | {"model": os.environ["MODEL"]}

    @property
    def supports_image_inputs(self):
        return False

    @property
    def enable_vcr_tests(self):
        return False
