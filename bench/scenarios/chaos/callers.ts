import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'undici'
import { openLoop } from '../../lib/open-loop.ts'
import type { PartName } from './options.ts'
import type { AnswerBody, PartMetrics } from './part-metrics.ts'

/** Timeout of a request, in ms. A service that takes longer counts as hung. */
const hungMs = 15_000

/** Number of concurrent requests of an attacking group. */
const attackers = 4

/** Rates of the callers. */
export interface LoadProfile {
  readonly seconds: number
  /** Requests per second of healthy callers. */
  readonly rate: number
  /**
   * Time between two waves of the attacks that cost the service much CPU time, in ms. The pauses leave CPU time for
   * other requests, because the attacks test the memory and not the CPU.
   */
  readonly waveMs: number
}

/** Runs one group of callers. Resolves when all its callers have ended. */
type Callers = (port: number, pool: Pool, tally: PartMetrics, pace: LoadProfile) => Promise<void>

/** The callers of each group. */
export const callers: Readonly<Record<PartName, Callers>> = {
  healthy: (_port, pool, tally, { rate, seconds }) =>
    openLoop({
      perSecond: rate,
      seconds,
      send: (index, dueAt) =>
        ask(
          pool,
          tally,
          `/healthy/${index}`,
          Array.from({ length: 5 }, (_, item) => `${index}-${item}`),
          dueAt,
        ),
    }),
  mixed: (_port, pool, tally, { rate, seconds }) =>
    openLoop({
      perSecond: rate / 5,
      seconds,
      send: (index, dueAt) => ask(pool, tally, `/mixed/m${index}`, [`m${index}`], dueAt),
    }),
  large: (_port, pool, tally, pace) =>
    waves(pace, 0, (caller, round) => ask(pool, tally, `/large/l${caller}-${round}`, [`l${caller}-${round}`])),
  cached: (_port, pool, tally, { seconds }) =>
    again(seconds, attackers, 1000, (caller, round) =>
      ask(pool, tally, `/cached/c${caller}-${round}`, [`c${caller}-${round}`]),
    ),
  tiny: wave('tiny', 1),
  nested: wave('nested', 2),
  huge: wave('huge', 3),
  endless: wave('endless', 4),
  heads: wave('heads', 5),
  hanging: attack('hanging'),
  resets: attack('resets'),
  slow: attack('slow'),
  readers: (port, _pool, tally, { seconds }) =>
    again(seconds, 2 * attackers, restMs, (caller, round) =>
      raw(port, tally, `GET /large/r${caller}-${round} HTTP/1.1\r\nhost: a\r\n\r\n`, socket => {
        socket.pause()
      }),
    ),
  bodies: (port, _pool, tally, { seconds }) =>
    again(seconds, 4 * attackers, restMs, () =>
      raw(
        port,
        tally,
        `POST /taken HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n`,
        socket => {
          socket.write(' '.repeat(900_000))
        },
      ),
    ),
  leaving: (_port, pool, tally, { seconds }) =>
    again(seconds, attackers, restMs, (caller, round) =>
      ask(
        pool,
        tally,
        `/mixed/v${caller}-${round}`,
        [`v${caller}-${round}`],
        performance.now(),
        AbortSignal.timeout(1 + (round % 20)),
      ),
    ),
}

/** Number of kinds of waves. Each kind has a different offset, so that the waves of two kinds do not start together. */
const kindsOfWaves = 6
const restMs = 250

function wave(kind: PartName, place: number): Callers {
  return (_port, pool, tally, pace) => waves(pace, place, () => ask(pool, tally, `/${kind}`, []))
}

function attack(kind: PartName): Callers {
  return (_port, pool, tally, { seconds }) => again(seconds, attackers, restMs, () => ask(pool, tally, `/${kind}`, []))
}

/** Runs `once` concurrently for all attackers, and repeats this at an interval of `waveMs`. */
async function waves(
  { seconds, waveMs }: LoadProfile,
  place: number,
  once: (caller: number, round: number) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now()
  for (let round = 0; ; round++) {
    const at = (round + place / kindsOfWaves) * waveMs
    if (at >= seconds * 1000) return
    await pause(Math.max(0, startedAt + at - performance.now()))
    await Promise.all(Array.from({ length: attackers }, (_, caller) => once(caller, round)))
  }
}

/** Runs `count` callers concurrently. Each caller repeats `once` and pauses for `rest` ms after each time. */
async function again(
  seconds: number,
  count: number,
  rest: number,
  once: (caller: number, round: number) => Promise<void>,
): Promise<void> {
  const until = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: count }, async (_, caller) => {
      for (let round = 0; performance.now() < until; round++) {
        await once(caller, round)
        await pause(rest)
      }
    }),
  )
}

async function ask(
  pool: Pool,
  tally: PartMetrics,
  path: string,
  ids: readonly string[],
  dueAt = performance.now(),
  signal?: AbortSignal,
): Promise<void> {
  try {
    const { statusCode, body } = await pool.request({
      path,
      method: 'GET',
      headersTimeout: hungMs,
      bodyTimeout: hungMs,
      signal: signal ?? null,
    })
    tally.answered(statusCode, (await body.json()) as AnswerBody, ids, performance.now() - dueAt)
  } catch (error) {
    tally.broke(signal?.aborted === true ? 'left' : ((error as { readonly code?: string }).code ?? String(error)))
  }
}

/**
 * Opens a connection, writes a request and passes the socket to the callback of the group. Then waits until the service
 * closes the connection, for at most 8 s.
 */
async function raw(port: number, tally: PartMetrics, request: string, then: (socket: Socket) => void): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(request)
  then(socket)
  const closed = new Promise<string>(resolve => {
    socket.once('close', () => resolve('closed by the service'))
  })
  tally.broke(await Promise.race([closed, pause(8000, 'left')]))
  socket.destroy()
}
