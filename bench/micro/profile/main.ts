// npm run bench:profile: measures the CPU time and the allocated bytes of an upstream call by stage. Also prints the
// total CPU time of the process, to compare it with the sum of the stages.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pinned, startChild, stopChildren, type ChildServer } from '../../lib/child.ts'
import type { LoadResult } from '../../compare/workload/closed-loop.ts'
import { bytesByStage, cpuByStage, type CpuProfile, type HeapProfile } from './read-profile.ts'
import type { Recording } from './record.ts'
import { stages, type Stage } from './stages.ts'
import { syscallsOf } from './syscalls.ts'

const help = `Prints the CPU time of an upstream call by stage, at several fan-outs.

node bench/micro/profile/main.ts [options]
  --fanouts   1,5,20,100  calls per request
  --ms        4000        length of each measurement, in ms
  --callers   32          concurrent callers
  --body-bytes 110        size of a response body
  --target    service     a file of bench/compare/app/, for example peers/floor-request
`

interface Column {
  readonly fanout: number
  /** Sampled CPU time per call by stage, in µs. */
  readonly micros: Record<Stage, number>
  /** Allocated bytes per call by stage. */
  readonly bytes: Record<Stage, number>
  /** CPU time of the process per call with the profiler, in µs. `plain` is without the profiler. */
  readonly profiled: number
  readonly plain: number
  /** Number of system calls per call, by name. */
  readonly syscalls: ReadonlyMap<string, number>
}

const { values } = parseArgs({
  options: {
    fanouts: { type: 'string', default: '1,5,20,100' },
    ms: { type: 'string', default: '4000' },
    callers: { type: 'string', default: '32' },
    'body-bytes': { type: 'string', default: '110' },
    target: { type: 'string', default: 'service' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'headwaters-profile-'))

try {
  if (values.help) process.stdout.write(help)
  else await profile()
} finally {
  stopChildren()
  rmSync(folder, { recursive: true, force: true })
}

async function profile(): Promise<void> {
  const upstream = await startChild(
    'upstream',
    new URL('../../compare/workload/upstream.ts', import.meta.url),
    [values['body-bytes'], '0'],
    0,
  )
  const load = await startChild('load', new URL('../../compare/workload/closed-loop.ts', import.meta.url), [], 0)
  const command = [
    process.execPath,
    '--import',
    join(import.meta.dirname, 'record.ts'),
    join(import.meta.dirname, `../../compare/app/${values.target}.ts`),
    `http://127.0.0.1:${upstream.port}`,
  ]
  if (pinned) command.unshift('taskset', '-c', '1')
  const [program = '', ...rest] = command
  const target = spawn(program, rest, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [{ port }] = (await once(target, 'message')) as [{ port: number }]
  const drive = (fanout: number, ms: number) =>
    load.request<LoadResult>({ start: { port, path: `/?n=${fanout}`, ms, callers: Number(values.callers) } })
  await drive(20, 3000)
  const columns: Column[] = []
  for (const fanout of values.fanouts.split(',').map(Number))
    columns.push(await measure(target, drive, fanout, Number(values.ms)))
  target.disconnect()
  print(columns)
}

async function measure(
  target: ChildProcess,
  drive: (fanout: number, ms: number) => ReturnType<ChildServer['request']>,
  fanout: number,
  ms: number,
): Promise<Column> {
  const ask = async <Reply>(question: Recording | { readonly cpu: true }) => {
    target.send(question)
    return ((await once(target, 'message')) as [Reply])[0]
  }
  const charged = async () => {
    const before = await ask<{ cpuMicros: number }>({ cpu: true })
    const { responses } = (await drive(fanout, ms)) as LoadResult
    const after = await ask<{ cpuMicros: number }>({ cpu: true })
    return { calls: responses * fanout, micros: after.cpuMicros - before.cpuMicros }
  }
  const recorded = async (record: 'cpu' | 'heap') => {
    const into = join(folder, `${record}-${fanout}.json`)
    await ask({ record, into })
    const cost = await charged()
    await ask({ record: 'end' })
    return { ...cost, profile: JSON.parse(readFileSync(into, 'utf8')) as unknown }
  }
  await drive(fanout, 1000)
  const plain = await charged()
  const cpu = await recorded('cpu')
  const heap = await recorded('heap')
  const syscalls =
    target.pid === undefined ? new Map() : await syscallsOf(target.pid, async () => (await charged()).calls)
  const perCall = (of: Record<Stage, number>, calls: number) =>
    Object.fromEntries(stages.map(stage => [stage, of[stage] / calls])) as Record<Stage, number>
  return {
    fanout,
    micros: perCall(cpuByStage(cpu.profile as CpuProfile, ms * 1000), cpu.calls),
    bytes: perCall(bytesByStage(heap.profile as HeapProfile), heap.calls),
    profiled: cpu.micros / cpu.calls,
    plain: plain.micros / plain.calls,
    syscalls,
  }
}

function print(columns: readonly Column[]): void {
  const row = (...cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`)
  const head = (what: string) => {
    row(what, ...columns.map(({ fanout }) => String(fanout)))
    row('---', ...columns.map(() => '---'))
  }
  head('µs per call at fan-out')
  for (const stage of stages) row(stage, ...columns.map(({ micros }) => micros[stage].toFixed(2)))
  const sum = ({ micros }: Column) => stages.reduce((all, stage) => all + micros[stage], 0)
  row('**sum of the stages**', ...columns.map(column => sum(column).toFixed(1)))
  row('CPU time of the process with the profiler', ...columns.map(({ profiled }) => profiled.toFixed(1)))
  row('CPU time without the profiler', ...columns.map(({ plain }) => plain.toFixed(1)))
  console.log()
  head('bytes allocated per call at fan-out')
  for (const stage of stages)
    if (columns.some(({ bytes }) => bytes[stage] >= 1))
      row(stage, ...columns.map(({ bytes }) => bytes[stage].toFixed(0)))
  row('**sum**', ...columns.map(({ bytes }) => stages.reduce((all, stage) => all + bytes[stage], 0).toFixed(0)))
  console.log()
  const names = new Set(columns.flatMap(({ syscalls }) => [...syscalls.keys()]))
  if (names.size === 0) return console.log('(no strace here: no system calls counted)')
  head('system calls per call at fan-out')
  for (const name of names) row(name, ...columns.map(({ syscalls }) => (syscalls.get(name) ?? 0).toFixed(2)))
}
