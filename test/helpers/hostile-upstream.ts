import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import { quietPort } from './quiet-port.ts'
import { json, written } from './raw-upstream.ts'

/** What no caller may ever read: every hostile answer holds it wherever bytes can be put. */
export const secret = 'SECRET-e3b0c442'

const withSecret = { 'x-secret': secret, server: secret, 'set-cookie': `id=${secret}` }
const html = `<!doctype html><title>${secret}</title><h1>It works!</h1>`
const megabyte = Buffer.alloc(1024 * 1024, `"${secret}",`)
const chunk = Buffer.concat([Buffer.from(`${megabyte.length.toString(16)}\r\n`), megabyte, Buffer.from('\r\n')])

/** Writes a head, then 50 times the same part, as fast as somebody reads. */
function pour(socket: Socket, head: string, part: Buffer): void {
  socket.write(head)
  let left = 50
  const more = () => {
    while (left-- > 0) if (!socket.write(part)) return void socket.once('drain', more)
  }
  more()
}

/** What an upstream does with each connection before it reads a byte. */
export const rude = {
  'closes at once': (socket: Socket) => socket.destroy(),
  'resets at once': (socket: Socket) => socket.resetAndDestroy(),
} satisfies Record<string, (socket: Socket) => void>

/** What an upstream does with each request. */
export const hostile = {
  'takes the request and says nothing': () => {},
  'sends a head and then nothing': socket =>
    socket.write(`HTTP/1.1 200 ${secret}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"${secret}`),
  'sends half a head and then nothing': socket => socket.write(`HTTP/1.1 200 ${secret}\r\ncontent-ty`),
  resets: socket => socket.resetAndDestroy(),
  'resets within its answer': socket => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\nx-secret: ${secret}\r\n\r\n{"`,
      () => socket.resetAndDestroy(),
    )
  },
  'closes without an answer': socket => socket.end(),
  'closes within its answer': socket =>
    socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"${secret}`),
  'answers 500': socket => socket.write(json({ error: secret, stack: secret }, 500, withSecret)),
  'answers 404': socket => socket.write(json({ error: secret }, 404, withSecret)),
  redirects: socket =>
    socket.write(json({ error: secret }, 302, { ...withSecret, location: `http://127.0.0.1:1/${secret}` })),
  'answers 503': socket => socket.write(json({ error: secret }, 503, { ...withSecret, 'retry-after': '7' })),
  'answers 429': socket => socket.write(json({ error: secret }, 429, { ...withSecret, 'retry-after': secret })),
  'answers garbage': socket => socket.write(`\u0000\u0001${secret} this is not HTTP\r\n\r\n`),
  'answers a status that is none': socket => socket.write(`HTTP/1.1 abc ${secret}\r\ncontent-length: 2\r\n\r\n{}`),
  'breaks its own framing': socket =>
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz${secret}\r\n`,
    ),
  'answers the wrong shape': socket =>
    socket.write(json({ fact: { nested: secret }, data: secret, url: secret }, 200, withSecret)),
  'answers broken JSON': socket =>
    socket.write(written(200, { 'content-type': 'application/json', ...withSecret }, `{"${secret}": `)),
  'answers HTML': socket => socket.write(written(200, { 'content-type': 'text/html', ...withSecret }, html)),
  'answers HTML and calls it JSON': socket =>
    socket.write(written(200, { 'content-type': 'application/json', ...withSecret }, html)),
  'announces 50 MB': socket =>
    pour(socket, 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 52428800\r\n\r\n', megabyte),
  'sends 50 MB in chunks': socket =>
    pour(socket, 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n', chunk),
} satisfies Record<string, (socket: Socket) => unknown>

/** What the upstreams of `cat-facts` say when they are well, by upstream. */
const wellSaid = {
  'catfact-ninja': { fact: 'Cats purr.', length: 10 },
  meowfacts: { data: ['Cats sleep.'] },
  'the-cat-api': [{ id: 'a', url: 'https://example.org/a.jpg', width: 10, height: 10 }],
}

export type Victim = keyof typeof wellSaid

export interface HostileUpstream {
  readonly origin: string
  readonly port: number
  /** Answers well from now on. */
  recover(): Promise<void>
}

/** Starts an upstream that is bad until it recovers. One that is `down` does not even listen. */
export async function hostileUpstream(
  t: Test,
  name: Victim,
  kind: keyof typeof hostile | keyof typeof rude | 'down',
): Promise<HostileUpstream> {
  const sockets = new Set<Socket>()
  let isWell = false
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    if (!isWell && kind in rude) return rude[kind as keyof typeof rude](socket)
    socket.on('data', () =>
      isWell ? socket.write(json(wellSaid[name])) : hostile[kind as keyof typeof hostile](socket),
    )
  })
  const listen = async (port: number) => {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  }
  const close = async () => {
    if (!server.listening) return
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  await listen(kind === 'down' ? await quietPort() : 0)
  const { port } = server.address() as AddressInfo
  if (kind === 'down') await close()
  t.teardown(close)

  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    async recover() {
      isWell = true
      if (kind === 'down') await listen(port)
    },
  }
}
