"""A flow of 20 tasks for the server at PREFECT_API_URL."""

from prefect import flow, task


@task
def double(number: int) -> int:
    return 2 * number


@flow
def doubles() -> int:
    return sum(future.result() for future in double.map(range(20)))


if __name__ == "__main__":
    assert doubles() == 380
