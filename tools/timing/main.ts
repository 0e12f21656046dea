import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ControlLoop } from './control-loop.ts'
import { timingFiles } from './files.ts'
import { measureMemoryMs, measureReferenceMs } from './reference.ts'
import {
  isWhole,
  judge,
  missesOf,
  mostRuns,
  noisyFrom,
  slowFrom,
  slowMemoryFrom,
  type TimingRun,
  type Verdict,
} from './judge.ts'

const root = join(import.meta.dirname, '../..')
/** After this time since the start of the command, no file is run again, in ms. */
const budgetMs = 10 * 60_000

async function run(file: string): Promise<TimingRun> {
  const before = { referenceMs: measureReferenceMs(), memoryMs: measureMemoryMs() }
  const control = new ControlLoop()
  const child = spawn(process.execPath, [file], {
    cwd: root,
    env: { ...process.env, HEADWATERS_TEST_TIMING: '1', TAP_TIMEOUT: '180' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [tap, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>(resolve => {
      child.once('exit', resolve)
    }),
  ])
  const misses = new Set(missesOf(tap))
  if (code !== 0 && misses.size === 0) misses.add(`the process ended with ${code}`)
  const lateMs = control.end()
  return {
    misses,
    isWhole: isWhole(tap, code),
    lateMs,
    referenceMs: Math.max(before.referenceMs, measureReferenceMs()),
    memoryMs: Math.max(before.memoryMs, measureMemoryMs()),
  }
}

const since = performance.now()
const chosen = process.argv.slice(2)
const files = chosen.length > 0 ? chosen : timingFiles(root)
const counts: Record<Verdict['state'], number> = { held: 0, missed: 0, 'not judged': 0 }
for (const file of files) {
  const runs: TimingRun[] = []
  let verdict: Verdict | undefined
  do {
    runs.push(await run(file))
    verdict = judge(runs, performance.now() - since > budgetMs)
  } while (verdict === undefined)
  counts[verdict.state]++
  console.log(
    `${verdict.state}: ${file}, control loop late by ${runs.map(({ lateMs }) => lateMs.toFixed(1)).join(', ')} ms, ` +
      `reference ${runs.map(({ referenceMs }) => referenceMs.toFixed(1)).join(', ')} ms, ` +
      `memory ${runs.map(({ memoryMs }) => memoryMs.toFixed(1)).join(', ')} ms`,
  )
  if (verdict.state !== 'held') for (const miss of verdict.misses) console.log(`  ${miss}`)
}
console.log(`${counts.held} files held, ${counts.missed} missed, ${counts['not judged']} not judged`)
if (counts['not judged'] > 0)
  console.log(
    `Not judged: each of up to ${mostRuns} whole runs missed a bound, and during each the control loop was late by ` +
      `${noisyFrom} ms or more, the reference computation took ${slowFrom} ms or more, or 64 MiB of new memory took ` +
      `${slowMemoryFrom} ms or more. Run the command again on a machine that does nothing else.`,
  )
if (counts.missed > 0) process.exitCode = 1
// A run that judged less than half of the files shows too little: exit with 2, not with 0.
else if (counts['not judged'] > files.length / 2) process.exitCode = 2
