import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { builtCli } from '../lib/built-cli.ts'
import { median } from '../lib/percentile.ts'

const help = `Measures the time from the start of the built service to its first response of /health/live, and its memory after one
idle second. Compares both with a bare Fastify + zod + undici skeleton (bench/compare/skeleton.ts). Targets take turns.

Usage: node bench/compare/cold-start.ts [options]

  --rounds N  measured starts of each target; one earlier start warms the disk cache (default 9)
  --json      prints every start
  --help      prints this
`

interface Start {
  /** Time from the spawn to the first answer, in ms. */
  readonly ms: number
  /** Resident memory after 1 s without requests, in MB. */
  readonly rssMb: number
}

const {
  values: { rounds: text, json, help: isHelp },
} = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const rounds = Number(text)
if (isHelp) process.stdout.write(help)
else if (!Number.isInteger(rounds) || rounds < 1)
  throw new TypeError(`--rounds must be a whole number above 0, got '${text}'`)
else await compare()

async function compare(): Promise<void> {
  const cli = builtCli()
  const targets = { skeleton: [builtSkeleton()], service: [cli, 'serve'], 'service --live': [cli, 'serve', '--live'] }
  const starts: Record<string, Start[]> = Object.fromEntries(Object.keys(targets).map(name => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    const order = Object.entries(targets)
    for (const [name, command] of [...order.slice(round % order.length), ...order.slice(0, round % order.length)]) {
      const start = await startOnce(command)
      if (round > 0) starts[name]?.push(start)
    }
  }
  process.stdout.write(json ? `${JSON.stringify({ node: process.version, starts })}\n` : report(starts))
}

/** Starts a command, waits for its first answer and for 1 s more, and ends it. */
async function startOnce(command: readonly string[]): Promise<Start> {
  const before = performance.now()
  const child = spawn(process.execPath, command, {
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  try {
    const lines = createInterface(child.stdout)
    let origin: string | undefined
    lines.on('line', line => {
      origin ??= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
      if (origin !== undefined) lines.emit('origin')
    })
    await Promise.race([
      once(lines, 'origin'),
      closed.then(() => {
        throw new Error(`${command.join(' ')} ended before it listened`)
      }),
    ])
    const { status } = await fetch(`${origin}/health/live`)
    const ms = performance.now() - before
    if (status !== 200) throw new Error(`${command.join(' ')} answered ${status}`)
    await pause(1000)
    return {
      ms,
      rssMb: (Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) * 1024) / 1e6,
    }
  } finally {
    child.kill('SIGKILL')
    await closed
  }
}

/**
 * Writes the skeleton as JavaScript and returns its path. The built service does not strip types at its start, so the
 * skeleton must not do it either.
 */
function builtSkeleton(): string {
  const folder = join(import.meta.dirname, '../../node_modules/.cache/headwaters')
  const file = join(folder, 'skeleton.mjs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'skeleton.ts'), 'utf8')))
  return file
}

function report(starts: Readonly<Record<string, readonly Start[]>>): string {
  const skeleton = starts['skeleton'] as readonly Start[]
  const rows = Object.entries(starts).map(([name, each]) => {
    const [ms, rss] = [each.map(start => start.ms), each.map(start => start.rssMb)]
    // Compare starts of the same round, so that a slow phase of the machine affects both.
    const ratio = median(each.map((start, index) => start.ms / (skeleton[index] as Start).ms))
    return [
      name,
      median(ms).toFixed(0),
      `${Math.min(...ms).toFixed(0)}-${Math.max(...ms).toFixed(0)}`,
      ratio.toFixed(2),
      median(rss).toFixed(1),
      (median(rss) - median(skeleton.map(start => start.rssMb))).toFixed(1),
    ]
  })
  const table = [['target', 'ms', 'min-max', 'ratio', 'RSS MB', 'over'], ...rows]
  const widths = (table[0] as string[]).map((_, column) =>
    Math.max(...table.map(row => (row[column] as string).length)),
  )
  const lines = table.map(row =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join('  '),
  )
  return (
    `${lines.join('\n')}\n\nNode.js ${process.version}, ${skeleton.length} starts each, medians; ` +
    `ratio and memory against the skeleton (aims: 1.50 and 20 MB)\n`
  )
}
