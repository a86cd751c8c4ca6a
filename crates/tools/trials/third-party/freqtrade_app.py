"""freqtrade's application as its command makes it, without its server: a draft is made from it."""

from freqtrade.rpc.api_server.webserver import ApiServer


class Application(ApiServer):
    def start_api(self) -> None:
        """It is only read."""


app = Application({"api_server": {"enable_openapi": True}}, standalone=True).app
