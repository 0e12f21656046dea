import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { own } from '../../compare/serve/checkout.ts'
import { startServer } from '../../compare/serve/program.ts'
import { startChild, type ListeningProcess } from '../../lib/child.ts'
import { cpuMicrosBetween } from '../../lib/cpu-accounting.ts'
import type { CompletedRequest } from '../../lib/http-caller.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { percentile } from '../../lib/percentile.ts'
import { readCpu } from '../../lib/process-files.ts'
import { rawCaller } from '../../lib/raw-caller.ts'
import { lastTrouble, medianSecond, wholeMs } from './figures.ts'

export interface CpuOptions {
  readonly fanout: number
  /** Duration of the overload. */
  readonly seconds: number
  /** Multiple of the peak rate. */
  readonly times: number
}

/** Figures of the overload. Rates are per second, and times are in ms unless the name says otherwise. */
export interface CpuFigures {
  readonly fanout: number
  readonly peak: number
  readonly offered: number
  /** Whole answers in the median second. */
  readonly whole: number
  /** Whole answers per second of the whole overload. */
  readonly wholeMean: number
  readonly refused: number
  /** Number of requests with another status, or without a reply. */
  readonly other: number
  readonly calmP50Ms: number
  readonly calmP99Ms: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly answerMicros: number
  readonly refusalMicros: number
  readonly recoveredMs: number
}

const callerCounts = [8, 16, 32, 64]
/** Connections that are open before the overload. Callers keep their connections, as a load balancer does. */
const openConnections = 3000

/** Measures `headwaters serve` while the CPU limits its capacity: the upstream answers at once. */
export async function measureCpu({ fanout, seconds, times }: CpuOptions): Promise<CpuFigures> {
  const upstream = await startChild(
    'upstream',
    new URL('../../compare/workload/upstream.ts', import.meta.url),
    ['2'],
    0,
  )
  const environment = {
    HEADWATERS_UPSTREAM_LEAVES_ORIGIN: `http://127.0.0.1:${upstream.port}`,
    BENCH_FANOUT: String(fanout),
  }
  const service = await startServe('service', environment)
  const caller = rawCaller(service.port, '/leaves')
  const open = async (perSecond: number, forSeconds: number) => {
    const startedAt = performance.now()
    await openLoop({ perSecond, seconds: forSeconds, send: (_index, dueAt) => caller.send(dueAt) })
    return { startedAt, ended: caller.takeCompleted() }
  }
  try {
    await closedLoop(caller, 16, 3000)
    let peak = 0
    let answerMicros = Infinity
    for (const callers of callerCounts) {
      const loop = await closedLoop(caller, callers, 3000, service)
      if (loop.perSecond > peak) [peak, answerMicros] = [loop.perSecond, loop.micros]
    }
    const calm = wholeMs((await open(peak / 2, 8)).ended)
    const calmP99Ms = percentile(calm, 0.99)
    await caller.open(openConnections)
    caller.takeCompleted()
    const { startedAt, ended } = await open(peak * times, seconds)
    const whole = wholeMs(ended)
    const after = await open(peak / 2, 5)
    const refused = ended.filter(({ status }) => status === 503).length
    return {
      fanout,
      peak,
      offered: ended.length / seconds,
      whole: medianSecond(ended, startedAt, seconds),
      wholeMean: whole.length / seconds,
      refused: refused / seconds,
      other: ended.length - whole.length - refused,
      calmP50Ms: percentile(calm, 0.5),
      calmP99Ms,
      p50Ms: percentile(whole, 0.5),
      p99Ms: percentile(whole, 0.99),
      answerMicros,
      refusalMicros: await refusalMicros(environment),
      recoveredMs: lastTrouble(after.ended, after.startedAt, 2 * calmP99Ms),
    }
  } finally {
    caller.close()
    await service.stop()
    await upstream.stop()
  }
}

/** Returns the CPU time of one refusal. One run is held, and the service refuses all requests beside it. */
async function refusalMicros(environment: NodeJS.ProcessEnv): Promise<number> {
  const service = await startServe('refusing service', { ...environment, MAX_RUNS: '1' })
  const holder = rawCaller(service.port, '/held')
  const caller = rawCaller(service.port, '/leaves')
  try {
    void holder.send(performance.now())
    await closedLoop(caller, 16, 2000)
    return (await closedLoop(caller, 16, 3000, service, 503)).micros
  } finally {
    holder.close()
    caller.close()
    await service.stop()
  }
}

function startServe(name: string, environment: NodeJS.ProcessEnv): Promise<ListeningProcess> {
  const definitions = fileURLToPath(new URL('./definitions.ts', import.meta.url))
  const command = [process.execPath, join(own, 'src/cli.ts'), 'serve', definitions]
  return startServer(name, () => command, environment, '/dev/null')
}

/**
 * Runs a closed loop: each caller sends the next request when it has its reply. Returns the rate of the replies with
 * status 200, and the CPU time of the service per reply with the expected status.
 */
async function closedLoop(
  caller: ReturnType<typeof rawCaller>,
  callers: number,
  ms: number,
  service?: ListeningProcess,
  status = 200,
): Promise<{ readonly perSecond: number; readonly micros: number }> {
  const startedAt = performance.now()
  const before = service && readCpu(service.pid)
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < startedAt + ms) await caller.send(performance.now())
    }),
  )
  const micros = service && before ? cpuMicrosBetween(before, readCpu(service.pid)) : NaN
  const ended: readonly CompletedRequest[] = caller.takeCompleted()
  const expected = ended.filter(each => each.status === status)
  return { perSecond: medianSecond(ended, startedAt, ms / 1000), micros: micros / expected.length }
}
