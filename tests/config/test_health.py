"""What a load balancer asks."""

from django.test import Client


def test_a_living_process_says_so_without_its_database(client: Client) -> None:
    answer = client.get("/healthz/live")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
