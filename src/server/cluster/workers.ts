import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { guardAccepts } from './accept-guard.ts'
import { backOff } from './back-off.ts'
import { createHandOver } from './hand-over.ts'
import { spawnWorker, lastWords, type Hired, type HireOptions } from './spawn-worker.ts'
import type { Leave, Task } from './messages.ts'
import { lingerMs } from './retire.ts'
import { rateCounter } from './rate-counter.ts'

export interface WorkersOptions extends Omit<Task, 'index' | 'mark'>, Pick<HireOptions, 'withheld'> {
  readonly log: FastifyBaseLogger
  /** Returns how many lines of the log the primary has lost. */
  readonly lostLogLines: () => number
  /** Is told when none is left and none can be started. */
  readonly onGivenUp: () => void
}

/** The workers of a service, seen from the primary. */
export interface Workers {
  /** Starts all of them; rejects, and leaves none behind, when one cannot. */
  start(): Promise<void>
  /**
   * Replaces one after the other by a new one, when all have started; asked while that is under way, it does so once
   * more.
   */
  restart(): Promise<void>
  /** Ends all of them; resolves with whether each ended as it was told. */
  stop(): Promise<boolean>
  /** Ends all of them at once. */
  kill(): void
}

/** One place among the workers, whoever has it. */
interface Place {
  readonly index: number
  current: Hired | undefined
  /** Starts, and takes the place once it listens. */
  coming: Hired | undefined
  /** The replacement that is being started. */
  replacing: Promise<void> | undefined
  timer: NodeJS.Timeout | undefined
  /** How often in a row a worker of this place has ended that was to stay. */
  crashes: number
  /** How often in a row one has not got as far as listening. */
  failedStarts: number
}

/** A worker that has lived for so long has not crashed for the reason of the one before, in ms. */
const stableMs = 30_000
/** Time between two messages to workers about the lines of the log that were lost, in ms. */
const tellLostEvery = 1000
/** Time between two lines of the log about descriptors, in ms. */
const quietMs = 10_000
/** So many starts in vain at each place, one after the other, are enough. */
const startsInVain = 5

/** So much longer than their time for draining all workers may take to end, in ms. */
export const leaveMs = lastWords + lingerMs

/** Makes the workers of a service; none is there before `start`. */
export function createWorkers({
  log,
  lostLogLines,
  onGivenUp,
  withheld,
  count,
  host,
  port,
  standIns,
  heartbeatMs,
}: WorkersOptions): Workers {
  const places: Place[] = Array.from({ length: count }, (_, index) => ({
    index,
    current: undefined,
    coming: undefined,
    replacing: undefined,
    timer: undefined,
    crashes: 0,
    failedStarts: 0,
  }))
  const leaving = new Set<Hired>()
  const countRequest = rateCounter()
  const handOver = createHandOver()
  const hiredOnes = new Set<Hired>()
  /** Lines of the log that workers had lost when they ended. */
  let lostByEnded = 0
  /** Where they really listen, once they do. */
  let realPort = port
  /**
   * What they ask for: with port 0 the cluster knows theirs as long as one of them holds it, and another would be found
   * after that.
   */
  let askedPort = port
  let fewLoggedAt = Number.NEGATIVE_INFINITY
  const started = Promise.withResolvers<void>()
  let isStopping = false
  let isRestarting = false
  let isAskedAgain = false

  function start(place: Place): Hired {
    if (places.every(({ current }) => current === undefined)) askedPort = realPort
    const task = { index: place.index, count, host, port: askedPort, standIns, heartbeatMs, mark: randomUUID() }
    const onSilent = (workerPid: number | undefined) =>
      log.error(
        { worker: place.index + 1, workerPid, heartbeatMs },
        'worker sent no heartbeat: it is killed and replaced',
      )
    const hired = spawnWorker(task, { withheld, count: countRequest, handOver, onSilent })
    place.coming = hired
    hiredOnes.add(hired)
    void hired.ended.then(() => {
      hiredOnes.delete(hired)
      lostByEnded += hired.lostLogLines
    })
    return hired
  }

  /** Tells every worker how many lines of the log all processes have lost, since any of them may be asked. */
  function tellLost(): void {
    let lines = lostLogLines() + lostByEnded
    for (const hired of hiredOnes) lines += hired.lostLogLines
    if (lines > 0) for (const hired of hiredOnes) hired.tellLost(lines)
  }

  /** Waits until it listens where the others do. */
  async function arrival(hired: Hired): Promise<void> {
    const at = await hired.listening
    if (at === realPort) return
    hired.kill()
    throw new Error(`listens at port ${at}, and not at ${realPort}: the last of the others ended in the meantime`)
  }

  function settle(place: Place, hired: Hired): void {
    const since = performance.now()
    place.current = hired
    place.coming = undefined
    place.failedStarts = 0
    void hired.ended.then(({ code, signal }) => {
      if (place.current !== hired) return
      place.current = undefined
      if (isStopping) return
      const ms = performance.now() - since
      if (ms >= stableMs) place.crashes = 0
      log.error(
        { worker: place.index + 1, workerPid: hired.pid, code, signal, livedMs: Math.round(ms) },
        'a worker has ended that was to stay: another takes its place',
      )
      if (place.coming === undefined) replaceLater(place)
    })
  }

  function replaceLater(place: Place): void {
    place.timer = setTimeout(() => {
      place.replacing = replace(place)
    }, backOff(place.crashes++))
  }

  async function replace(place: Place): Promise<void> {
    const hired = start(place)
    try {
      await arrival(hired)
      settle(place, hired)
    } catch (err) {
      place.coming = undefined
      if (isStopping) return
      log.error({ worker: place.index + 1, ...reasonOf(err) }, 'a worker has not started')
      place.failedStarts++
      if (places.every(({ current, failedStarts }) => current === undefined && failedStarts >= startsInVain))
        onGivenUp()
      else replaceLater(place)
    }
  }

  function onFew(limit: number): void {
    const now = performance.now()
    if (now - fewLoggedAt < quietMs) return
    fewLoggedAt = now
    log.warn(
      { limit },
      'few file descriptors are left in the primary: new connections wait, and are ' +
        'closed when none is left; raise the limit (ulimit -n)',
    )
  }

  /** Resolves with whether every place has a new worker. */
  async function roll(): Promise<void> {
    log.info({ workers: count }, 'restarting the workers')
    for (const place of places) {
      clearTimeout(place.timer)
      await place.replacing
      clearTimeout(place.timer)
      if (isStopping) return
      const hired = start(place)
      try {
        await arrival(hired)
      } catch (err) {
        place.coming = undefined
        if (isStopping) return
        log.error(
          { worker: place.index + 1, ...reasonOf(err), restarted: place.index },
          'not restarted: the workers from before go on serving',
        )
        if (place.current === undefined) replaceLater(place)
        return
      }
      const before = place.current
      settle(place, hired)
      if (before !== undefined) await dismiss(before, 'retire')
    }
    log.info({ workers: count }, 'all workers are new')
  }

  /** Resolves with whether it ended as it was told. */
  async function dismiss(hired: Hired, how: Leave): Promise<boolean> {
    leaving.add(hired)
    const { code, signal } = await hired.leave(how)
    // A restart and the end may both be waiting for it.
    const isFirst = leaving.delete(hired)
    if (isFirst && code !== 0)
      log.error(
        { worker: hired.number, workerPid: hired.pid, code, signal },
        signal === 'SIGKILL'
          ? 'a worker did not end in its time and was killed'
          : 'a worker ended by a fault while it drained',
      )
    return code === 0
  }

  const all = () =>
    [...leaving, ...places.flatMap(({ current, coming }) => [current, coming])].filter(hired => hired !== undefined)

  function kill(): void {
    isStopping = true
    for (const { timer } of places) clearTimeout(timer)
    for (const hired of all()) hired.kill()
  }

  return {
    async start() {
      guardAccepts({ onFew })
      setInterval(tellLost, tellLostEvery).unref()
      const starting = places.map(place => [place, start(place)] as const)
      try {
        for (const port of await Promise.all(starting.map(([, { listening }]) => listening))) realPort = port
      } catch (error) {
        kill()
        await Promise.all(starting.map(([, { ended }]) => ended))
        throw error
      }
      for (const [place, hired] of starting) settle(place, hired)
      started.resolve()
    },
    async restart() {
      isAskedAgain = true
      if (isRestarting) return
      isRestarting = true
      await started.promise
      while (isAskedAgain && !isStopping) {
        isAskedAgain = false
        await roll()
      }
      isRestarting = false
    },
    async stop() {
      isStopping = true
      for (const { timer, coming } of places) {
        clearTimeout(timer)
        coming?.kill()
      }
      const staying = [...leaving, ...places.flatMap(({ current }) => current ?? [])]
      const ended = await Promise.all(staying.map(hired => dismiss(hired, 'drain')))
      return !ended.includes(false)
    },
    kill,
  }
}

/** What the user can mend comes as a list, like everywhere. */
function reasonOf(err: unknown): object {
  const { name, message } = err as Error
  return name === 'DefinitionsError' || name === 'ConfigError' ? { faults: message.split('\n') } : { err }
}
