// node bench/scenarios/faulty-upstream.ts <share of faults> <seed>: answers over raw sockets. This share of the answers
// has one of the faults below.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { announce } from '../lib/announce.ts'
import { fraction } from '../../src/demo-upstreams/random.ts'

/** Counts of an upstream since its start. */
export interface FaultyCount {
  readonly received: number
  /** Maximum number of concurrent connections. */
  readonly mostConnections: number
  readonly connections: number
  readonly faults: Readonly<Record<string, number>>
}

const [share = 0, seed = 1] = process.argv.slice(2).map(Number)
const good = answer('200 OK', '{"ok":true}')

function answer(status: string, body: string, headers = '', length = Buffer.byteLength(body)): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${headers}\r\n${body}`
}

/** Writes a text in parts of 24 characters, and stops when the socket is destroyed. */
function drip(socket: Socket, text: string, everyMs: number): void {
  let at = 0
  const timer = setInterval(() => {
    if (socket.destroyed || at >= text.length) clearInterval(timer)
    else socket.write(text.slice(at, (at += 24)))
  }, everyMs)
}

const faults: Readonly<Record<string, (socket: Socket) => void>> = {
  // Connection
  'reset before the answer': socket => socket.resetAndDestroy(),
  'closed before the answer': socket => {
    socket.destroy()
  },
  'closed when idle': socket => socket.write(good, () => setTimeout(() => socket.destroy(), 5)),
  'connection: close': socket => socket.end(answer('200 OK', '{"ok":true}', 'connection: close\r\n')),
  // Time
  'never answers': () => {},
  'stops within the head': socket => socket.write(good.slice(0, 30)),
  'stops within the body': socket => socket.write(good.slice(0, -4)),
  'slow body': socket => drip(socket, good, 10),
  'body slower than the timeout': socket => drip(socket, good, 200),
  // Framing
  'ends within the body': socket => socket.end(good.slice(0, -4)),
  'reset within the body': socket => socket.write(good.slice(0, -4), () => socket.resetAndDestroy()),
  garbage: socket => socket.write('\0\x01\xffno HTTP at all\r\n\r\n'),
  'two lengths': socket => socket.write(answer('200 OK', '{"ok":true}', 'content-length: 3\r\n')),
  'more than its length': socket => socket.write(`${good}surplus`),
  // Payload
  'no JSON': socket => socket.write(answer('200 OK', '{"ok":tru')),
  'another shape': socket => socket.write(answer('200 OK', '{"ok":"yes"}')),
  empty: socket => socket.write(answer('200 OK', '')),
  // Status
  '500': socket => socket.write(answer('500 No', '{}')),
  '503 with Retry-After': socket => socket.write(answer('503 No', '{}', 'retry-after: 0\r\n')),
  '429 with a long Retry-After': socket => socket.write(answer('429 No', '{}', 'retry-after: 60\r\n')),
}
const names = Object.keys(faults)
const happened: Record<string, number> = {}
const sockets = new Set<Socket>()
let received = 0
let mostConnections = 0

function serve(socket: Socket): void {
  let text = ''
  sockets.add(socket)
  turns(5, () => {
    mostConnections = Math.max(mostConnections, sockets.size)
  })
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.destroy())
  socket.on('close', () => sockets.delete(socket))
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      text = text.slice(end + 4)
      respond(socket, received++)
    }
  })
}

/**
 * Calls `then` after `count` turns of the event loop. By then the process has seen the end of each connection that
 * ended before the new connection began.
 */
function turns(count: number, then: () => void): void {
  if (count === 0) then()
  else setImmediate(turns, count - 1, then)
}

function respond(socket: Socket, request: number): void {
  if (fraction(seed, request) >= share) {
    setTimeout(() => socket.write(good), 2 + fraction(seed + 1, request) * 4)
    return
  }
  const name = names[Math.floor(fraction(seed + 2, request) * names.length)] as string
  happened[name] = (happened[name] ?? 0) + 1
  faults[name]?.(socket)
}

process.on('message', (message: { readonly count?: true }) => {
  if (message.count !== undefined)
    process.send?.({ received, mostConnections, connections: sockets.size, faults: happened } satisfies FaultyCount)
})

const server = createServer({ noDelay: true }, serve)
server.listen(0, '127.0.0.1', 1024, () => announce((server.address() as AddressInfo).port))
