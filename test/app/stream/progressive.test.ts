import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { chromiumMissing, launchChromium } from '../../helpers/chromium.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'
import { listening } from '../../helpers/listening.ts'
import { nginxMissing, startNginx } from '../../helpers/nginx.ts'

/** A page that shows the data of each snapshot and of the reply, as it arrives by fetch and by EventSource. */
const page = `<!doctype html><p id="fetch"></p><p id="events"></p><p id="ends"></p><script type="module">
const show = (id, text) => { document.getElementById(id).textContent = text }
const source = new EventSource('/card/events')
source.addEventListener('snapshot', ({ data }) => show('events', 'so far: ' + JSON.parse(data).data.join()))
source.addEventListener('reply', ({ data }) => show('events', 'all: ' + JSON.parse(data).body.data.join()))
source.addEventListener('error', () => show('ends', source.readyState === EventSource.CLOSED ? 'closed' : 'reconnects'))
const { body } = await fetch('/card/fetch', { headers: { accept: 'application/x-ndjson' } })
let rest = ''
for await (const text of body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split('\\n')
  rest = lines.pop()
  for (const { event, data, body } of lines.map(JSON.parse)) {
    if (event === 'snapshot') show('fetch', 'so far: ' + data.join())
    if (event === 'reply') show('fetch', 'all: ' + body.data.join())
  }
}
</script>`

for (const [name, skip] of [
  ['directly', chromiumMissing],
  ['through nginx with its default buffering', chromiumMissing || nginxMissing],
] as const)
  test(`a page shows a snapshot before the slowest source has answered, ${name}`, { skip }, async t => {
    const upstream = await httpUpstream(t, ({ request, json }) => {
      const ms = Number(/\d+/.exec(request.url ?? '')?.[0])
      if (ms > 0) setTimeout(() => json(ms), ms)
    })
    const options = { origin: upstream.origin, attemptTimeout: 30_000 }
    const one = operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.number() })
    const up = defineUpstream('up', options, { one })
    const described = aggregate('card', {
      url: '/card/{by}',
      params: z.object({ by: z.string() }),
      deadline: 30_000,
    })
      .required('fast', () => up.one({ id: '10' }))
      .optional('middle', () => up.one({ id: '100' }), { fallback: 0 })
      .optional('slow', ({ params }) => up.one({ id: params.by }), { fallback: 0 })
      .reply(z.array(z.number()), ({ fast, middle, slow }) => [fast, middle, slow])
    const app = buildApp([described])
    app.get('/', (_request, reply) =>
      reply.header('content-security-policy', "default-src 'self' 'unsafe-inline'").type('text/html').send(page),
    )
    await listening(t, app)
    const { port } = app.server.address() as { readonly port: number }
    const direct = `http://127.0.0.1:${port}`
    const origin = name === 'directly' ? direct : await startNginx(t, direct)
    const browser = await launchChromium(t)
    const shown = await browser.newPage()
    shown.setDefaultTimeout(20_000)
    await shown.goto(origin)
    for (const by of ['fetch', 'events']) {
      const slow = await upstream.arrived(`GET /${by}`)
      await shown.locator(`#${by}`, { hasText: 'so far: 10,100,0' }).waitFor()
      t.notOk(slow.response.headersSent, 'the slowest source has not answered')
      slow.json(700)
      await shown.locator(`#${by}`, { hasText: 'all: 10,100,700' }).waitFor()
    }
    await shown.locator('#ends', { hasText: 'closed' }).waitFor()
    t.equal(upstream.log.filter(line => line === 'GET /events').length, 1, 'the browser has not run it again')
    await browser.close()
  })
