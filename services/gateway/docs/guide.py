"""The chapters of the documentation that no schema can tell, as (anchor, title, HTML)."""

from __future__ import annotations

from html import escape

from services.gateway.problem_catalogue import CATALOGUE

_QUICK_START = """
<p>One photo, answered with its result:</p>
<pre>curl --fail-with-body -H "Authorization: Bearer $KEY" -H "Content-Type: image/jpeg" \\
     --data-binary @shirt.jpg -o shirt.png \\
     "$API/api/v1/images?background=%23ffffff&amp;format=png"</pre>
<p>A ZIP of photos, followed to its end:</p>
<pre>curl -H "Authorization: Bearer $KEY" -H "Idempotency-Key: $(uuidgen)" \\
     -F file=@spring.zip -F 'options={"background": "#ffffff", "format": "webp", "size": 2000}' \\
     "$API/api/v1/batch/process"

curl -N -H "Authorization: Bearer $KEY" "$API/api/v1/batches/$BATCH/events"
curl -H "Authorization: Bearer $KEY" -o results.zip "$API/api/v1/batches/$BATCH/results.zip"</pre>
<p>Very large archives are best sent as a raw body, which needs no form:
<code>curl -T spring.zip -X POST -H "Content-Type: application/zip" …</code></p>
"""

_AUTHENTICATION = """
<p>Every request carries an API key: <code>Authorization: Bearer im_live_…</code> or <code>X-API-Key:
im_live_…</code>. A key is shown once when it is issued; only its SHA-256 is kept. A revoked key stops
working within a second. Keys belong to servers, never to browsers or apps.</p>
"""

_BATCHES = """
<p>A batch goes from <code>accepted</code> over <code>splitting</code> and <code>processing</code> to
<code>completed</code>, <code>failed</code> or <code>cancelled</code>. JPEG, PNG, WebP, TIFF, AVIF and HEIC
are taken, up to 50 MB and 50 megapixels each and 5,000 in an archive; what a file is, is told by its
content, not by its name. A photo that can't be taken is <code>refused</code> with a reason while the rest
goes on. The same picture twice in an archive is rendered once.</p>
<p><code>results.zip</code> holds the results under the photos' own names, renditions and artefacts below
<code>renditions/NAME/</code> and <code>artefacts/NAME/</code>, and <code>manifest.json</code>: every photo
with its verdict, its findings with a box, what share of the garment is the photo's own pixels, its landmarks,
and its <code>drift</code>: scale, place and slant against the median of the batch.</p>
"""

_OPTIONS = """
<p>Options go into the query, or as a JSON object into the form's part <code>options</code>; some may be in
each, but none in both. Those that have parts (<code>renditions</code>, <code>own_preset</code>,
<code>template</code>) are JSON in the query, too, so that a raw upload can have them; long ones are for the
form:</p>
<pre>curl -T spring.zip -X POST -H "Authorization: Bearer $KEY" -H "Content-Type: application/zip" \\
     --url "$API/api/v1/batch/process?preset=shopify&amp;artefacts=true" --url-query \\
     'renditions=[{"name": "thumb", "size": 400}, {"name": "amazon", "preset": "amazon"}]'</pre>
<p>A rendition is one more picture of the same render, under a name of yours: fetch it from
<code>/images/ID/renditions/NAME</code>. With <code>artefacts=true</code> the masks <code>alpha</code>,
<code>classes</code> and <code>synthesized</code> are kept at <code>/images/ID/artefacts/NAME</code>: visible
garment pixels are the photo's own, and every other pixel is white in <code>synthesized</code>.</p>
"""

_INSIDE = """
<p>A second shot with the garment's back turned out gives the result its real inner back. Put both into the
archive and call them alike: <code>SKU_front.jpg</code> and <code>SKU_inside.jpg</code>. Case and the kind of
separator do not count, <code>SKU.jpg</code> is a front as well, and so is <code>front.jpg</code> beside
<code>inside.jpg</code> in a folder for each garment. <code>inside</code>, <code>inner_back</code> and
<code>back_inside</code> are understood; <code>inside_pattern=lining,innen</code> names others.</p>
<p>Or say it in a <code>manifest.csv</code> in the archive, whose paths start at its own folder:</p>
<pre>file,inside,sku,garment
IMG_0101.jpg,IMG_0102.jpg,K-4711,dress
IMG_0103.jpg,,K-4712,</pre>
<p>It decides for the photos that it names, the others are paired by name; without the column
<code>inside</code> all are. <code>sku</code> and <code>garment</code> are optional, and the latter stands
instead of the batch's. An inside shot ends as <code>paired</code> and is not billed; one without a front is
rendered by itself, with a <code>note</code>; one that can't be used is told in its front's findings.</p>
"""

_VERDICTS = """
<p>Every result has a verdict: <code>publishable</code>, <code>review</code> (somebody should look at its
findings) or <code>rejected</code> (it is no good). Rejected images are kept and not billed, as are failed and
refused ones, repeated photos and inside shots: <code>billable</code> says so of each image, and
<code>counts</code> of the batch, in the API, the webhook and the manifest.</p>
"""

_KEYS = """
<p>With a plan that has it, your images are computed on your own account: your GPU server, your cloud, your
contract with a provider. Store the key once; from then on nobody can read it, you included.</p>
<pre>curl -H "Authorization: Bearer $KEY" "$API/api/v1/credential-providers"   # what each asks for
curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" "$API/api/v1/credentials" \\
     -d @- &lt;&lt;END
{"provider": "open-inference", "label": "GPUs in Frankfurt", "settings": {"url": "https://gpu.example"},
 "secret": {"bearer": "$(cat token)"}, "monthly_cap": "250.00"}
END
curl -X PUT -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
     -d '{"policy": "byok_then_platform", "fallback_monthly_cap": "100"}' "$API/api/v1/routing-policy"</pre>
<p>The secret is encrypted for the vault as it arrives, and checked at its provider at no cost before the
answer: <code>health</code> says <code>healthy</code>, <code>failed</code> with the reason and what to do,
or <code>unverified</code> if its provider took too long. Only the key's own faults fail it (revoked,
expired, no permission, quota, billing), never its provider's or a bad photo's. <code>last_four</code> and
<code>fingerprint</code> tell two keys apart.</p>
<p>Replace a secret by <code>PUT /credentials/ID/secret</code>: the new one is checked while the old one is
still used, and for <code>grace_s</code> seconds <code>POST …/rollback</code> brings the old one back.
<code>POST …/disable</code> takes a key from every worker at once.</p>
<p><code>policy</code> is <code>platform</code>, <code>byok_only</code> or <code>byok_then_platform</code>.
Nothing falls back silently: each image names its <code>route</code> with payer, reason and cost, and so do
<code>X-Mannequin-Route</code>, <code>X-Mannequin-Payer</code> and <code>X-Mannequin-Credential</code> of
its result, the webhook and the manifest. An image that no route may take waits, with the reason in
<code>parked</code>, or fails, as <code>when_unavailable</code> says; it goes on when the key recovers or is
replaced, or the policy is changed. Ask for the webhooks <code>credential.failed</code>,
<code>credential.degraded</code>, <code>credential.recovered</code>, <code>credential.expiring</code> and
<code>spend.cap_reached</code>.</p>
<p>What a batch would come to is told before anything runs by <code>POST /batch/process?dry_run=true</code>;
what was computed by <code>GET /usage</code>, also as CSV; and what your keys moved to your own accounts by
<code>GET /usage/savings</code>.</p>
"""

_IDEMPOTENCY = """
<p>Send an <code>Idempotency-Key</code> of your own with each POST, such as a UUID, and send the request
again with the same key when you got no answer: it is done once, and the repeat is answered alike, with
<code>Idempotent-Replayed: true</code>, for 24 hours. While the first is under way the repeat gets <code>409
idempotency_in_progress</code>; another request under the same key gets <code>422
idempotency_key_reused</code>. Only successes are kept, so a refused request may be corrected and sent again
under its key. For uploads the content of the file and the options count, not the form's boundaries. Secrets
are never kept: a repeated answer that would show one has <code>null</code> in its place, and a request that
holds one is recognised only with the API key that it was first sent with.</p>
"""

_PAGES = """
<p>Listings come in pages: <code>items</code> and <code>next_cursor</code>, which goes into
<code>cursor</code> of the next call and is <code>null</code> on the last page. Cursors are opaque; make
none yourself.</p>
"""

_RATE = """
<p>Each key has a token bucket. Every answer says how it stands: <code>RateLimit-Policy:
"key";q=500;w=5</code> (500 requests at once, growing back in 5 seconds) and <code>RateLimit:
"key";r=499;t=1</code> (499 left, all back in 1 second). An empty bucket is answered with 429 and
<code>Retry-After</code> in seconds.</p>
"""

_WEBHOOKS = """
<p>Register an endpoint and keep the <code>whsec_…</code> secret that is shown once. Messages follow
<a href="https://www.standardwebhooks.com">Standard Webhooks</a>: <code>webhook-id</code>,
<code>webhook-timestamp</code> and <code>webhook-signature</code>; any of its libraries verifies them:</p>
<pre>from standardwebhooks import Webhook
event = Webhook(secret).verify(body, headers)   # raises if it is not from us</pre>
<p>Answer with any 2xx within the time limit. Anything else is tried again after 5 seconds, 5 minutes, 30
minutes, 2 hours, 5 hours, 10 hours and so on; 410 disables the endpoint. A message may come twice: its
<code>webhook-id</code> stays the same. Event types: <code>batch.completed</code>, <code>batch.failed</code>
and, if asked for, <code>image.completed</code> and those of <a href="#keys">keys of your own</a>.</p>
"""

_PROBLEMS = """
<p>Errors are problem documents (RFC 9457, <code>application/problem+json</code>): <code>title</code>,
<code>status</code>, <code>detail</code>, a stable <code>code</code> for programs, the <code>field</code> at
fault, a <code>hint</code> what to do, and the <code>request_id</code> for support.</p>
"""


def chapters() -> list[tuple[str, str, str]]:
    """In reading order."""
    return [
        ("quick-start", "Quick start", _QUICK_START),
        ("authentication", "Authentication", _AUTHENTICATION),
        ("batches", "Batches and photos", _BATCHES),
        ("options", "Options and renditions", _OPTIONS),
        ("inside-shots", "Inside shots", _INSIDE),
        ("verdicts", "Verdicts and billing", _VERDICTS),
        ("keys", "Keys of your own", _KEYS),
        ("idempotency", "Sending again safely", _IDEMPOTENCY),
        ("pages", "Listings", _PAGES),
        ("rate-limits", "Rate limits", _RATE),
        ("webhooks", "Webhooks", _WEBHOOKS),
        ("problems", "Problems", _PROBLEMS + _problem_table()),
    ]


def _problem_table() -> str:
    rows = "".join(
        f'<tr id="problem-{code}"><td><code>{code}</code></td><td>{escape(known.title)}</td>'
        f"<td>{escape(known.hint)}</td></tr>"
        for code, known in sorted(CATALOGUE.items())
    )
    return f"<table><tr><th>code</th><th>meaning</th><th>what to do</th></tr>{rows}</table>"
