import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'

/** Time for strace to attach, in ms. */
const attachMs = 500

/**
 * Returns the number of system calls per upstream call, by name. Traces a process with strace while `work` runs; `work`
 * returns the number of upstream calls. System calls below 0.005 per call are omitted. Without strace, the map is
 * empty.
 */
export async function syscallsOf(pid: number, work: () => Promise<number>): Promise<ReadonlyMap<string, number>> {
  if (spawnSync('strace', ['-V']).status !== 0) return new Map()
  const tracer = spawn('strace', ['-c', '-f', '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
  let table = ''
  tracer.stderr.on('data', (chunk: Buffer) => {
    table += chunk.toString()
  })
  await setTimeout(attachMs)
  const calls = await work()
  tracer.kill('SIGINT')
  await once(tracer, 'close')
  return read(table, calls)
}

/** Reads the rows of `strace -c`: `% time, seconds, usecs/call, calls, errors, syscall`. */
export function read(table: string, calls: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of table.split('\n')) {
    const [, count = '', name = ''] = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/.exec(line) ?? []
    if (name !== '' && name !== 'total' && Number(count) / calls >= 0.005) counts.set(name, Number(count) / calls)
  }
  return counts
}
