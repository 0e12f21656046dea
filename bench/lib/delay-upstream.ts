// node bench/lib/delay-upstream.ts '{"seed":1,…}': an upstream that answers GET or POST /<id> with 200 or another
// status. The delay is sampled for each attempt of each call.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { announce } from './announce.ts'
import { sampleMs, type LatencyDistribution } from './latency-distribution.ts'

export interface DelayUpstreamOptions extends LatencyDistribution {
  /** @default 200 */
  readonly status?: number
}

/** Counts of the upstream since its start. The mean delay is since the last request for the counts. */
export interface DelayUpstreamStats {
  readonly received: number
  /** Maximum of concurrent connections. */
  readonly mostConnections: number
  /**
   * Mean measured delay since the last request for these counts, in ms. It is longer than the mean of the sampled
   * delays if the machine does not have enough CPU time.
   */
  readonly meanDelayMs: number
}

const { status = 200, ...spread } = JSON.parse(process.argv[2] ?? '{}') as DelayUpstreamOptions
const answer = Buffer.from(
  `HTTP/1.1 ${status} Whatever\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
)
const attempts = new Map<number, number>()
const sockets = new Set<Socket>()
let received = 0
let answered = 0
let tookMs = 0
let mostConnections = 0
/** Multiplies every sampled delay. */
let factor = 1

function serve(socket: Socket): void {
  let text = ''
  sockets.add(socket)
  mostConnections = Math.max(mostConnections, sockets.size)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => sockets.delete(socket))
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end)
      const bodyBytes = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      if (text.length < end + 4 + bodyBytes) return
      take(socket, Number(head.slice(head.indexOf('/') + 1, head.indexOf(' HTTP'))))
      text = text.slice(end + 4 + bodyBytes)
    }
  })
}

function take(socket: Socket, id: number): void {
  received++
  const attempt = (attempts.get(id) ?? 0) + 1
  attempts.set(id, attempt)
  const ms = sampleMs(spread, id, attempt) * factor
  if (ms === 0) {
    answered++
    socket.write(answer)
    return
  }
  const at = performance.now()
  setTimeout(() => {
    answered++
    tookMs += performance.now() - at
    socket.write(answer)
  }, ms)
}

process.on('message', (message: { readonly factor?: number; readonly count?: true }) => {
  if (message.factor !== undefined) factor = message.factor
  if (message.factor === undefined && message.count === undefined) return
  process.send?.({
    received,
    mostConnections,
    meanDelayMs: tookMs / Math.max(1, answered),
  } satisfies DelayUpstreamStats)
  answered = tookMs = 0
})

const server = createServer({ noDelay: true }, serve)
server.listen(0, '127.0.0.1', 1024, () => announce((server.address() as AddressInfo).port))
