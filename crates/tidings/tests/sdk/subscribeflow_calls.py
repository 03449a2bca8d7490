"""Every webhook call of the official SubscribeFlow SDK against a running server.

Arguments: the compatible API's base URL, the native API's, a key of a project with the preset
`subscribeflow` on the plan `starter`. Ends with an assertion error at the first difference.
"""

import asyncio
import hashlib
import hmac
import http.server
import sys
import threading
import time

import httpx
from subscribeflow import SubscribeFlowClient
from subscribeflow.exceptions import AuthenticationError, LimitExceededError, NotFoundError, ValidationError

BOUND_S = 20.0
TYPES = {
    "subscriber.created", "subscriber.updated", "subscriber.deleted",
    "tag.subscribed", "tag.unsubscribed", "subscriber.note_added",
}


class Receiver:
    """A customer's endpoint: remembers what came, answers with `status`."""

    def __init__(self):
        self.requests = []
        self.status = 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.end_headers()
                self.wfile.write(b"noted")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


def is_signed(headers, body, secret):
    """What SubscribeFlow's guide tells receivers to check."""
    given = {name.lower(): value for name, value in headers.items()}["x-subscribeflow-signature"]
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", given)


async def until(what, look):
    end = time.monotonic() + BOUND_S
    while time.monotonic() < end:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what} did not come")


async def refused(error, call):
    try:
        await call
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was expected")


async def publish(native, key, event_type, data):
    async with httpx.AsyncClient() as client:
        body = {"type": event_type, "data": data}
        answer = await client.post(f"{native}/api/v1/events", json=body, headers={"X-API-Key": key})
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]


async def arrival(receiver, count):
    async def look():
        return len(receiver.requests) >= count
    await until(f"request {count}", look)
    return receiver.requests[count - 1]


async def endpoints(client, receiver):
    made = await client.webhooks.create(receiver.url, ["subscriber.*", "tag.subscribed"], description="crm")
    assert made.secret.startswith("whsec_") and made.is_active and made.failure_count == 0
    assert (made.url, made.events, made.description) == (receiver.url, ["subscriber.*", "tag.subscribed"], "crm")
    got = await client.webhooks.get(made.id)
    assert got.model_dump() == made.model_dump(exclude={"secret"})
    second = await client.webhooks.create(receiver.url, ["tag.unsubscribed"])
    page = await client.webhooks.list(limit=1)
    assert page.total == 2 and [item.id for item in page] == [second.id] and page.next_cursor
    page = await client.webhooks.list(limit=1, cursor=page.next_cursor)
    assert [item.id for item in page] == [made.id] and page.next_cursor is None
    return made, second


async def deliveries(client, receiver, made, native, key):
    event = await publish(native, key, "tag.subscribed", {"tag": {"id": "t", "name": "vip"}, "subscriber": {"id": "s", "email": "a@example.com"}})
    headers, body = await arrival(receiver, 1)
    assert is_signed(headers, body, made.secret) and not is_signed(headers, body + b" ", made.secret)

    async def delivered():
        return (await client.webhooks.list_deliveries(made.id, status="delivered", event_type="tag.subscribed")).items
    [delivery] = await until("the delivery", delivered)
    assert (delivery.endpoint_id, delivery.event_id, delivery.attempt_count) == (made.id, event, 1)
    assert delivery.response_status_code == 200 and delivery.delivered_at and delivery.next_retry_at is None
    detail = await client.webhooks.get_delivery(made.id, delivery.id)
    assert detail.payload["id"] == event and detail.payload["data"]["tag"]["name"] == "vip"
    assert detail.response_body == "noted"

    receiver.status = 503
    await publish(native, key, "subscriber.created", {"subscriber": {"id": "s", "email": "a@example.com"}})

    async def retrying():
        return (await client.webhooks.list_deliveries(made.id, status="retrying")).items
    [failing] = await until("the failing delivery", retrying)
    assert failing.next_retry_at and failing.response_status_code == 503
    result = await client.webhooks.retry_delivery(made.id, failing.id)
    assert (result.success, result.status_code) == (False, 503)
    receiver.status = 200
    result = await client.webhooks.retry_delivery(made.id, failing.id)
    assert (result.success, result.status_code) == (True, 200) and result.response_time_ms is not None
    assert (await client.webhooks.list_deliveries(made.id, status="failed")).total == 0


async def secrets(client, receiver, made, native, key):
    renewed = await client.webhooks.regenerate_secret(made.id)
    assert renewed.id == made.id and renewed.secret != made.secret
    tested = await client.webhooks.test(made.id)
    assert (tested.success, tested.status_code, tested.error) == (True, 200, None)
    headers, body = receiver.requests[-1]
    assert b"test.webhook" in body
    assert is_signed(headers, body, renewed.secret) and not is_signed(headers, body, made.secret)


async def figures(client, made):
    stats = await client.webhooks.get_stats(made.id, days=7)
    counts = (stats.total_deliveries, stats.successful_deliveries, stats.failed_deliveries)
    assert counts == (3, 3, 0), f"two events and the test: {counts}"
    assert stats.pending_deliveries == 0 and stats.success_rate == 100.0 and stats.avg_response_time_ms is not None
    everything = await client.webhooks.get_global_stats()
    assert everything.successful_deliveries == 3
    listed = await client.webhooks.list_all_deliveries(limit=10)
    assert listed.total == 3, "two events and the test"
    types = await client.webhooks.list_event_types()
    assert TYPES <= set(types) and types["tag.subscribed"] == "Subscriber subscribed to a tag"


async def changes(client, made, second):
    changed = await client.webhooks.update(made.id, description="other", events=["tag.*"], is_active=False)
    assert (changed.description, changed.events, changed.is_active) == ("other", ["tag.*"], False)
    assert changed.url == made.url and changed.updated_at >= made.updated_at
    assert (await client.webhooks.update(made.id, is_active=True)).is_active
    await client.webhooks.delete(second.id)
    gone = await refused(NotFoundError, client.webhooks.get(second.id))
    assert gone.status == 404 and gone.type == "https://subscribeflow.net/errors/not_found"


async def limits(client, receiver, base, key):
    for _ in range(2):
        await client.webhooks.create(receiver.url, ["tag.*"])
    full = await refused(LimitExceededError, client.webhooks.create(receiver.url, ["tag.*"]))
    assert full.status == 402 and full.type == "https://subscribeflow.net/errors/limit_exceeded"
    assert (full.limit, full.current, full.max_value) == ("webhooks", 3, 3), vars(full)
    assert full.upgrade_url == "https://tidings.example/billing"
    wrong = await refused(ValidationError, client.webhooks.create("ftp://example.com/", ["tag.*"]))
    assert wrong.errors[0]["loc"] == ["body", "url"] and wrong.errors[0]["msg"]
    async with SubscribeFlowClient(api_key=key[:-1] + "!", base_url=base) as stranger:
        assert (await refused(AuthenticationError, stranger.webhooks.list())).status == 401


async def main(base, native, key):
    receiver = Receiver()
    async with SubscribeFlowClient(api_key=key, base_url=base) as client:
        made, second = await endpoints(client, receiver)
        await deliveries(client, receiver, made, native, key)
        await secrets(client, receiver, made, native, key)
        await figures(client, made)
        await changes(client, made, second)
        await limits(client, receiver, base, key)
    print("every call answered as the SDK expects")


asyncio.run(main(*sys.argv[1:]))
