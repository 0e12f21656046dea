import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { rawCaller } from '../../bench/lib/raw-caller.ts'

test('a raw caller records status and end of each request, and uses idle connections again', async t => {
  let connections = 0
  const server = createServer((request, response) => {
    if (request.url === '/cut') return void request.socket.destroy()
    const body = 'x'.repeat(200_000)
    response.writeHead(request.url === '/refused' ? 503 : 200, { 'content-length': body.length }).end(body)
  })
  server.on('connection', () => connections++)
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const [path, status, opened] of [
    ['/', 200, 3],
    ['/refused', 503, 3],
    ['/cut', 0, 6],
  ] as const) {
    connections = 0
    const caller = rawCaller(port, path)
    t.teardown(() => caller.close())
    for (let times = 0; times < 2; times++) await Promise.all([1, 2, 3].map(dueAt => caller.send(dueAt)))
    const completed = caller.takeCompleted()
    t.same(
      completed.map(each => each.status),
      Array.from({ length: 6 }, () => status),
    )
    t.same(
      completed.map(({ dueAt }) => dueAt).sort((a, b) => a - b),
      [1, 1, 2, 2, 3, 3],
    )
    t.equal(connections, opened, path)
    t.same(caller.takeCompleted(), [])
    caller.close()
  }
})
