import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { startChild } from '../../bench/lib/child.ts'
import type { LoadResult, LoadStart } from '../../bench/compare/workload/closed-loop.ts'

test('callers ask for the paths in turn, with the headers, and what is not 200 is counted', async t => {
  const asked: (readonly [path: string | undefined, tenant: string | undefined, host: string | undefined])[] = []
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers['x-tenant'] as string | undefined, headers.host])
    response.writeHead(url === '/b' ? 404 : 200, { 'content-length': 2 }).end('{}')
  })
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const load = await startChild(
    'load',
    new URL('../../bench/compare/workload/closed-loop.ts', import.meta.url),
    [],
    'any',
  )
  t.teardown(() => load.stop())

  const { responses, non200 } = await load.request<LoadResult>({
    start: {
      port,
      path: ['/a', '/b', '/c?d=%20'],
      headers: { 'x-tenant': 'acme' },
      ms: 50,
      callers: 1,
    } satisfies LoadStart,
  })
  t.equal(asked.length, responses)
  t.same(
    asked,
    asked.map((_, index) => [['/a', '/b', '/c?d=%20'][index % 3], 'acme', `127.0.0.1:${port}`]),
  )
  t.equal(non200, Math.floor((responses + 1) / 3))
})
