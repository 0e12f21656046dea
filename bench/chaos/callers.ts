import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'undici'
import { openLoop } from '../open-loop.ts'
import type { PartName } from './options.ts'
import type { Answered, Tally } from './tally.ts'

/** By when an answer must be there; a service that takes longer counts as hung, in ms. */
const hungMs = 15_000

/** Requests at once of a part that attacks. */
const attackers = 4

/** How long an attacker rests after each answer, in ms: the attacks are to use up memory, and not the time of the loop alone. */
const restMs = 250

/** Runs callers of one part until a time of `performance.now()`. */
type Callers = (port: number, pool: Pool, tally: Tally, seconds: number, rate: number) => Promise<void>

/** What each part asks. */
export const callers: Readonly<Record<PartName, Callers>> = {
  healthy: (_port, pool, tally, seconds, rate) => openLoop({ perSecond: rate, seconds, send: (index, dueAt) => ask(pool, tally, `/healthy/${index}`, Array.from({ length: 5 }, (_, item) => `${index}-${item}`), dueAt) }),
  mixed: (_port, pool, tally, seconds, rate) => openLoop({ perSecond: rate / 5, seconds, send: (index, dueAt) => ask(pool, tally, `/mixed/m${index}`, [`m${index}`], dueAt) }),
  large: (_port, pool, tally, seconds) => again(seconds, attackers, (caller, round) => ask(pool, tally, `/large/l${caller}-${round}`, [`l${caller}-${round}`])),
  cached: (_port, pool, tally, seconds) => again(seconds, attackers, (caller, round) => ask(pool, tally, `/cached/c${caller}-${round}`, [`c${caller}-${round}`])),
  tiny: attack('tiny'),
  nested: attack('nested'),
  huge: attack('huge'),
  endless: attack('endless'),
  heads: attack('heads'),
  hanging: attack('hanging'),
  resets: attack('resets'),
  slow: attack('slow'),
  readers: (port, _pool, tally, seconds) => again(seconds, 2 * attackers, (caller, round) => raw(port, tally, `GET /large/r${caller}-${round} HTTP/1.1\r\nhost: a\r\n\r\n`, socket => { socket.pause() })),
  bodies: (port, _pool, tally, seconds) => again(seconds, 4 * attackers, () => raw(port, tally, `POST /taken HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n`, socket => { socket.write(' '.repeat(900_000)) })),
  leaving: (_port, pool, tally, seconds) => again(seconds, attackers, (caller, round) => ask(pool, tally, `/mixed/v${caller}-${round}`, [`v${caller}-${round}`], performance.now(), AbortSignal.timeout(1 + round % 20))),
}

function attack (kind: PartName): Callers {
  return (_port, pool, tally, seconds) => again(seconds, attackers, () => ask(pool, tally, `/${kind}`, []))
}

/** Lets several callers do something again and again, with a rest after each time. */
async function again (seconds: number, count: number, once: (caller: number, round: number) => Promise<void>): Promise<void> {
  const until = performance.now() + seconds * 1000
  await Promise.all(Array.from({ length: count }, async (_, caller) => {
    for (let round = 0; performance.now() < until; round++) {
      await once(caller, round)
      await pause(restMs)
    }
  }))
}

async function ask (pool: Pool, tally: Tally, path: string, ids: readonly string[], dueAt = performance.now(), signal?: AbortSignal): Promise<void> {
  try {
    const { statusCode, body } = await pool.request({ path, method: 'GET', headersTimeout: hungMs, bodyTimeout: hungMs, signal: signal ?? null })
    tally.answered(statusCode, await body.json() as Answered, ids, performance.now() - dueAt)
  } catch (error) {
    tally.broke(signal?.aborted === true ? 'left' : (error as { readonly code?: string }).code ?? String(error))
  }
}

/** Opens a connection, writes a request, does with the socket what the part does, and waits until the service closes it, for so long at most. */
async function raw (port: number, tally: Tally, request: string, then: (socket: Socket) => void): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(request)
  then(socket)
  const closed = new Promise<string>(resolve => { socket.once('close', () => resolve('closed by the service')) })
  tally.broke(await Promise.race([closed, pause(8000, 'left')]))
  socket.destroy()
}
