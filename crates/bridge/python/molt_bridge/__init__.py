"""Operations of a Python service answered by Rust, in the same process.

`Strangler` wraps an ASGI application: what the plan gives to Rust is answered there, everything
else by the application. `molt_bridge.functions` has Rust for functions of the service, without
HTTP.
"""

from molt_bridge._strangler import Strangler

__all__ = ["Strangler"]
