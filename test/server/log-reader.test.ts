import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { bufferBytes } from '../../src/log/destination.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { startService, type Environment } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'
import { lostLogLines } from './helpers/lost-log-lines.ts'

// Each of its services is started and drained.
tap.setTimeout(120_000)

/** Aggregates that write much, that say how much memory is held once garbage is collected, and that never end. */
const definitions = `
import { aggregate } from 'headwaters'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { z } from 'zod'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

export const much = aggregate('much', { url: '/much' }).reply(z.unknown(), () => {
  for (let line = 0; line < 1000; line++) console.log(JSON.stringify({ level: 20, msg: 'x'.repeat(980) }))
  process.emitWarning('a warning of the definitions')
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
})
export const hung = aggregate('hung', { url: '/hung', deadline: 60_000 })
  .required('it', () => new Promise(() => {}))
  .reply(z.unknown(), ({ it }) => it)
`

/** Bytes of stdout that are written for each request for `much`. */
const muchBytes = 1_001_000

async function heldBy(origin: string): Promise<number> {
  const { data } = (await (await fetch(`${origin}/much`)).json()) as { readonly data: number }
  return data
}

function namedPipe(t: Test): string {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  return path
}

/** Node.js gives a child a socket for its stdout, and a shell gives it a pipe. */
const kinds: Readonly<Record<string, (t: Test) => { readonly stdout?: string }>> = {
  socket: () => ({}),
  pipe: t => ({ stdout: namedPipe(t) }),
}

// A megabyte of lines takes longer on a crowded machine. How late the loop is does not matter here.
const start = (t: Test, kind: string, environment: Environment = {}) =>
  startService(
    t,
    { MAX_LOOP_DELAY_MS: '0', ...environment },
    ['serve', definitionsFolder(t, { 'much.mjs': definitions }).path],
    kinds[kind]?.(t),
  )

for (const kind of Object.keys(kinds)) {
  test(
    `a ${kind} that is not read: what waits is bounded, the others are counted, and a line says so when it is read again`,
    { timeout: 120_000 },
    async t => {
      const { origin, readLog, said, stop, ended, errors } = await start(t, kind)
      await said('serving')
      readLog(false)
      const times = 24
      const held = await heldBy(origin)
      for (let time = 0; time < times; time++) await heldBy(origin)
      const grown = (await heldBy(origin)) - held
      t.ok(grown < 3 * bufferBytes, `${times * muchBytes} bytes were written, and ${grown} are held`)
      const before = await lostLogLines(origin)
      t.ok(before > times * 1000 - (2 * bufferBytes) / 1000, `${before} lines were lost`)
      readLog(true)
      const { lost } = await said('log lines lost')
      t.ok((lost as number) >= before)
      stop('SIGTERM')
      t.same(await ended, { code: 0, signal: null })
      t.notMatch(await errors, 'Error')
    },
  )
}

for (const [kind, ...signals] of [
  ['socket', 'SIGTERM'],
  ['pipe', 'SIGINT'],
  ['socket', 'SIGTERM', 'SIGINT'],
  ['pipe', 'SIGTERM', 'SIGTERM'],
] as const) {
  test(`a ${kind} that is not read holds up no signal: ${signals.join(' and ')}`, async t => {
    const isForced = signals.length > 1
    const { origin, readLog, said, stop, exited } = await start(t, kind, { DRAIN_MS: isForced ? '60000' : '200' })
    await said('serving')
    readLog(false)
    for (let times = 0; times < 6; times++) await heldBy(origin)
    const hung = fetch(`${origin}/hung`).catch(() => {})
    await lostLogLines(origin)
    const before = performance.now()
    for (const signal of signals) {
      stop(signal)
      // The next signal comes after this one was seen.
      if (isForced)
        await until(async () => {
          const isReady = await fetch(`${origin}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          )
          return !isReady
        })
    }
    t.same(await exited, { code: isForced ? 1 : 0, signal: null })
    t.ok(performance.now() - before < 10_000)
    readLog(true)
    await hung
  })
}

test('a reader that has gone ends nothing', { timeout: 60_000 }, async t => {
  const { origin, said, closeLog, stop, ended } = await startService(t, {}, [
    'serve',
    definitionsFolder(t, { 'much.mjs': definitions }).path,
  ])
  await said('serving')
  closeLog()
  for (let times = 0; times < 3; times++) t.equal((await fetch(`${origin}/much`)).status, 200)
  let lost = 0
  for (let tries = 0; lost < 3000 && tries < 1000; tries++) lost = await lostLogLines(origin)
  t.ok(lost >= 3000, `${lost} lines were lost`)
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})
