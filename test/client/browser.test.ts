import { readFileSync, readdirSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { test } from 'tap'
import { chromiumMissing, launchChromium } from '../helpers/chromium.ts'
import { beginStream, linesOf, streamingServer } from '../helpers/streaming-server.ts'

const folder = join(import.meta.dirname, '../../src/client')
/** The modules of the client by their path, as a browser reads them. */
const modules: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(folder).map(name => [`/client/${name}`, stripTypeScriptTypes(readFileSync(join(folder, name), 'utf8'))]),
)

const page = `<!doctype html><title>Cats</title><p id="shown"></p><p id="ended"></p><script type="module">
import { openStream } from '/client/index.ts'
const show = (id, text) => { document.getElementById(id).textContent = text }
try {
  for await (const event of openStream(location.search.slice(1)))
    if (event.event === 'snapshot') show('shown', event.data.text)
    else if (event.event === 'reply') show('ended', event.body.data.text)
} catch (error) {
  show('ended', error.name + ' ' + (error.problem?.code ?? ''))
}
</script>`

const plan = { event: 'plan', run: 'r', deadline: 800 }
const snapshot = { event: 'snapshot', data: { text: 'half 🐈' }, complete: false }
const reply = { event: 'reply', status: 200, headers: {}, body: { data: { text: 'whole 🐈' }, complete: true } }
const problem = { event: 'problem', status: 503, headers: {}, body: { title: 'a', detail: 'b', code: 'OVERLOADED' } }

test(
  'in Chromium a snapshot is shown while the stream is open, and the reply at its end',
  { skip: chromiumMissing },
  async t => {
    const gate = Promise.withResolvers<void>()
    let streams = 0
    const { origin } = await streamingServer(t, async (response, { url }) => {
      const code = modules[url]
      if (code !== undefined) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(code)
      if (url.startsWith('/page')) return response.writeHead(200, { 'content-type': 'text/html' }).end(page)
      if (url === '/problem') return beginStream(response, plan, problem).end()
      if (url !== '/cats') return response.writeHead(404).end()
      beginStream(response, plan, snapshot)
      // The first stream is cut: the client repeats it.
      if (++streams === 1) return response.write(' ', () => response.destroy())
      await gate.promise
      return response.end(linesOf(reply))
    })
    const browser = await launchChromium(t)
    const tab = await browser.newPage()
    tab.setDefaultTimeout(20_000)
    await tab.goto(`${origin}/page?/cats`)
    await tab.getByText('half 🐈').waitFor()
    t.equal(await tab.locator('#ended').textContent(), '', 'the stream is open')
    gate.resolve()
    await tab.getByText('whole 🐈').waitFor()
    t.equal(streams, 2)

    await tab.goto(`${origin}/page?/problem`)
    await tab.getByText('StreamProblem OVERLOADED').waitFor()
  },
)
