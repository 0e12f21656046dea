import { readFileSync, readdirSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../src/upstream/declare.ts'
import { chromiumMissing, launchChromium } from './helpers/chromium.ts'
import { docBlocks } from './helpers/doc-blocks.ts'
import { httpUpstream } from './helpers/http-upstream.ts'
import { serveApp } from './helpers/served-app.ts'
import { beginStream, linesOf, streamingServer } from './helpers/streaming-server.ts'
import { until } from './helpers/until.ts'

const blocks = docBlocks('streaming')
const client = join(import.meta.dirname, '../src/client')
/** The modules of the client by their path, as a browser reads them. */
const modules = new Map(
  readdirSync(client).map(name => [`/client/${name}`, stripTypeScriptTypes(readFileSync(join(client, name), 'utf8'))]),
)

/** A page that runs a block of the documentation. */
const pageOf = (code: string) => `<!doctype html><title>Cats</title><link rel="icon" href="data:,">
<script type="importmap">{ "imports": { "headwaters/client": "/client/index.ts" } }</script>
<script type="module">${stripTypeScriptTypes(code)}</script>`

/** The policy of a page that runs scripts. The service allows its own pages no script. */
const policy = "default-src 'self' 'unsafe-inline' data:"

/** Opens a page in Chromium. Returns the lines that its scripts print, which grow. */
async function printedBy(t: Test, url: string): Promise<readonly string[]> {
  const tab = await (await launchChromium(t)).newPage()
  const printed: string[] = []
  tab.on('console', message => printed.push(message.text()))
  tab.on('pageerror', error => printed.push(String(error)))
  await tab.goto(url)
  return printed
}

const Cats = z.object({ facts: z.array(z.object({ text: z.string() })) })

for (const file of ['client.ts', 'event-source.ts', 'lines.ts'])
  test(`${file} shows a snapshot while a source is pending, then the reply`, { skip: chromiumMissing }, async t => {
    const upstream = await httpUpstream(t, ({ request, json }) => {
      if (request.url === '/fact') json({ text: 'They purr.' })
    })
    const text = operation({
      path: '/{name}',
      params: z.object({ name: z.string() }),
      output: z.object({ text: z.string() }),
    })
    const cats = defineUpstream('cats', { origin: upstream.origin }, { text })
    const query = z.object({ count: z.coerce.number() })
    const catFacts = aggregate('cat-facts', { url: '/v1/cat-facts', query, deadline: 60_000 })
      .required('fact', () => cats.text({ name: 'fact' }))
      .optional('more', () => cats.text({ name: 'more' }), { fallback: null, timeout: 50_000 })
      .reply(Cats, ({ fact, more }) => ({ facts: more === null ? [fact] : [fact, more] }))
    const { origin } = await serveApp(t, {
      aggregates: [catFacts],
      before(app) {
        app.get('/page', (_, reply) =>
          reply
            .header('content-security-policy', policy)
            .type('text/html')
            .send(pageOf(blocks[file] as string)),
        )
        app.get('/client/*', ({ url }, reply) => reply.type('text/javascript').send(modules.get(url)))
      },
    })
    const printed = await printedBy(t, `${origin}/page`)
    await until(() => upstream.log.includes('GET /more'), { withinMs: 20_000, seen: () => printed })
    const pending = await upstream.arrived('GET /more')
    await until(() => printed.length > 0, { withinMs: 20_000, seen: () => upstream.log })
    t.same(printed, ['so far 1'])
    pending.json({ text: 'They sleep.' })
    await until(() => printed.length > 1, { withinMs: 20_000, seen: () => printed })
    t.same(printed, ['so far 1', 'reply 2 true'])
    t.equal(upstream.log.filter(line => line === 'GET /fact').length, 1, 'the request is sent once')
  })

test('batch.ts sends a batch, and shows each result of its stream', { skip: chromiumMissing }, async t => {
  const result = {
    id: 'a',
    operation: 'catfact-ninja.fact',
    state: 'ok',
    status: 200,
    data: { fact: 'They purr.', length: 10 },
  }
  const plan = { event: 'plan', run: 'r', deadline: 5000, calls: [{ id: 'a', needs: [] }] }
  const reply = { event: 'reply', status: 200, headers: {}, body: { results: [result], complete: true } }
  const { origin, requests } = await streamingServer(t, (response, { url }) => {
    const module = modules.get(url)
    if (module !== undefined) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(module)
    if (url === '/v1/batch') return beginStream(response, plan, { event: 'call', ...result }).end(linesOf(reply))
    return response
      .writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy })
      .end(pageOf(blocks['batch.ts'] as string))
  })
  const printed = await printedBy(t, origin)
  await until(() => printed.length > 0, { withinMs: 20_000, seen: () => requests.map(({ url }) => url) })
  t.match(printed[0], /^a ok .*They purr\./)
  t.match(
    requests.find(({ url }) => url === '/v1/batch'),
    {
      method: 'QUERY',
      headers: { 'content-type': 'application/json', accept: /^application\/x-ndjson/ },
      body: '{"calls":[{"id":"a","operation":"catfact-ninja.fact"}]}',
    },
  )
})
