// node bench/scenarios/origins/upstream.ts 10: an upstream with 10 origins, each with a port of its own. Messages set the
// fault of each origin and ask for the counts.
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { announce } from '../../lib/announce.ts'

/** `good` answers after 20 ms, `slow` after 200 ms. `failing` answers 503, and `flapping` does so in every other 2 s. */
export type OriginKind = 'good' | 'slow' | 'failing' | 'flapping'

/** Sets the kind of each origin. Counts start again. */
export interface KindsRequest {
  readonly kinds: readonly OriginKind[]
}

export interface UpstreamReport {
  readonly ports: readonly number[]
  /** For each origin, the requests of each second since the last message with kinds. */
  readonly perSecond: readonly (readonly number[])[]
}

const goodMs = 20
const slowMs = 200
const flapMs = 2000

const good = answer('200 OK')
const bad = answer('503 Service Unavailable')

function answer(status: string): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`)
}

const count = Number(process.argv[2] ?? 10)
const ports: number[] = []
let kinds: readonly OriginKind[] = []
let perSecond: number[][] = []
let since = 0

function reset(next: readonly OriginKind[]): void {
  kinds = next
  perSecond = Array.from({ length: count }, () => [])
  since = performance.now()
}

function serve(socket: Socket, index: number): void {
  let text = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      text = text.slice(end + 4)
      handle(socket, index)
    }
  })
}

function handle(socket: Socket, index: number): void {
  const now = performance.now() - since
  const second = Math.floor(now / 1000)
  const counts = perSecond[index] as number[]
  counts[second] = (counts[second] ?? 0) + 1
  const kind = kinds[index]
  const isFailing = kind === 'failing' || (kind === 'flapping' && now % (2 * flapMs) >= flapMs)
  setTimeout(() => socket.write(isFailing ? bad : good), kind === 'slow' ? slowMs : goodMs)
}

process.on('message', (message: Partial<KindsRequest> & { readonly report?: true }) => {
  if (message.kinds !== undefined) reset(message.kinds)
  if (message.kinds === undefined && message.report === undefined) return
  process.send?.({
    ports,
    perSecond: perSecond.map(counts => Array.from(counts, one => one ?? 0)),
  } satisfies UpstreamReport)
})

reset(Array.from({ length: count }, () => 'good'))
for (let index = 0; index < count; index++) {
  const server = createServer({ noDelay: true }, socket => serve(socket, index))
  server.listen(0, '127.0.0.1', 1024)
  await once(server, 'listening')
  ports.push((server.address() as AddressInfo).port)
}
announce(ports[0] as number)
