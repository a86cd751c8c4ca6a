"""1,000 messages of all lengths, text and bytes, and close codes: messages.py PORT."""

import sys

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

url = f"ws://127.0.0.1:{sys.argv[1]}"
with connect(f"{url}/echo", subprotocols=["one", "two"], max_size=None) as socket:
    assert socket.subprotocol == "one", socket.subprotocol
    for number in range(1000):
        length = (1, 125, 126, 65535, 65536, 200_000)[number % 6] if number % 50 < 6 else number
        message = "é" * (length // 2) if number % 2 else bytes(number % 256 for _ in range(length))
        socket.send(message)
        assert socket.recv() == message, number
    socket.ping().wait(5)
    socket.send("close")
    try:
        socket.recv()
        raise AssertionError("it is not closed")
    except ConnectionClosed as error:
        code = (error.rcvd.code, error.rcvd.reason)
        assert code == (4002, "agreed"), code
with connect(f"{url}/echo") as socket:
    socket.close(4001, "enough")
    assert socket.close_code == 4001, socket.close_code
try:
    connect(f"{url}/refused")
    raise AssertionError("it is accepted")
except InvalidStatus as error:
    assert error.response.status_code == 403, error.response.status_code
sys.stdout.write("1000 messages, close codes 4001 and 4002, a refusal with 403: as sent\n")
