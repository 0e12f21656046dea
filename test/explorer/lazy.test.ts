import { once } from 'node:events'
import { registerHooks } from 'node:module'
import type { Worker } from 'node:worker_threads'
import { test } from 'tap'

/** The modules of this thread, from before the first of ours. */
const loaded: string[] = []
registerHooks({
  load(url, context, next) {
    loaded.push(url)
    return next(url, context)
  },
})
const workers: Worker[] = []
process.on('worker', worker => workers.push(worker))

const { serveApp } = await import('../helpers/served-app.ts')
const { bundleVersion } = await import('../../src/http/explorer/page.ts')

test('the bundle is read once, at the first request, and does not block other requests', async t => {
  const { origin } = await serveApp(t)
  const read = async (path: string) => {
    const response = await fetch(origin + path)
    t.equal(response.status, 200, path)
    return (await response.arrayBuffer()).byteLength
  }
  for (const path of ['/health/live', '/v1/cat-facts', '/docs', '/docs/explorer.js']) await read(path)
  t.same(workers, [], 'nothing has read it before the browser asks for it')

  const order: string[] = []
  const path = `/docs/scalar-${bundleVersion}.js`
  const bundles = Promise.all([read(path), read(path)]).then(() => {
    order.push('the bundle')
  })
  await new Promise<void>(resolve => {
    process.once('worker', () => resolve())
  })
  const [ended] = workers.map(worker => once(worker, 'exit'))
  await read('/health/live').then(() => {
    order.push('another request')
  })
  await bundles
  t.same(order, ['another request', 'the bundle'], 'other requests do not wait for it')

  await ended
  await read(path)
  t.equal(workers.length, 1, 'one reading serves all')
  t.ok(
    loaded.some(url => url.endsWith('/src/http/explorer/explorer.ts')),
    'modules are seen',
  )
  t.same(
    loaded.filter(url => url.includes('@scalar')),
    [],
    'this thread never loaded the package',
  )
})
