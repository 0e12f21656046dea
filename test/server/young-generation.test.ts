import { execFileSync } from 'node:child_process'
import { test } from 'tap'
import { YoungLimit } from '../../src/server/young-generation.ts'

const mib = 1024 * 1024

/** Returns the factor of the last of `looks` looks with equal figures. A collection has taken place before each look. */
function factorAfter(limit: YoungLimit, looks: number, size: number, used: number): number {
  let factor = 1
  for (let look = looks; look > 0; look--) factor = limit.factor({ size, used: used + look })
  return factor
}

test('the young generation grows to 24 MiB in one step, after a collection', async t => {
  const limit = new YoungLimit()
  limit.factor({ size: 2 * mib, used: mib })
  t.equal(limit.factor({ size: 2 * mib, used: 1.5 * mib }), 1)
  t.equal(limit.factor({ size: 2 * mib, used: mib }), 12)
})

test('the young generation does not grow above 24 MiB while little of it survives', async t => {
  const limit = new YoungLimit()
  t.equal(factorAfter(limit, 500, 24 * mib, 2 * mib), 1)
  for (let look = 0; look < 500; look++) limit.factor({ size: 24 * mib, used: look % 12 === 0 ? 2 * mib : 11 * mib })
  t.equal(factorAfter(limit, 1, 24 * mib, mib), 1, 'the use between two collections does not count')
})

test('the young generation grows to at most 128 MiB while much of it survives', async t => {
  const limit = new YoungLimit()
  t.equal(factorAfter(limit, 50, 24 * mib, 5 * mib), 2)
  t.equal(factorAfter(limit, 50, 48 * mib, 9 * mib), 2)
  t.equal(factorAfter(limit, 50, 96 * mib, 20 * mib), 1)
})

test('the young generation has its first limit again after V8 has made it smaller', async t => {
  const limit = new YoungLimit()
  factorAfter(limit, 100, 24 * mib, 5 * mib)
  t.equal(factorAfter(limit, 100, 2 * mib, mib), 12)
})

test('the young generation does not try again to exceed a size at which V8 has stopped', async t => {
  const limit = new YoungLimit()
  t.equal(factorAfter(limit, 2, 4 * mib, mib), 6)
  limit.stoppedAt(4 * mib)
  t.equal(factorAfter(limit, 200, 4 * mib, 2 * mib), 1)
  t.equal(factorAfter(limit, 200, mib, 0.5 * mib), 4, 'V8 has made it smaller')
  t.equal(limit.factor({ size: 0, used: 0 }), 1)
})

/**
 * Returns the largest size of the young generation of a process that keeps few of many objects. The process ends when
 * the size is above `enough`, or after `ms`.
 */
function largestSize(options: string[], enough = Infinity, ms = 1000): number {
  const module = new URL('../../src/server/young-generation.ts', import.meta.url).href
  const script = `
    import { setImmediate } from 'node:timers/promises'
    import { limitYoungGeneration, youngGeneration } from ${JSON.stringify(module)}
    limitYoungGeneration({ execArgv: process.execArgv, environment: process.env.NODE_OPTIONS })
    const kept = []
    let largest = 0
    for (const end = performance.now() + ${ms}; performance.now() < end && largest <= ${enough};) {
      for (let i = 0; i < 20_000; i++) kept[i] = { list: [i] }
      largest = Math.max(largest, youngGeneration().size)
      await setImmediate()
    }
    process.stdout.write(String(largest))`
  return Number(execFileSync(process.execPath, [...options, '--input-type=module', '-e', script], { encoding: 'utf8' }))
}

test('V8 keeps to the limit of the young generation', async t => {
  const size = largestSize([])
  t.ok(size > 4 * mib && size <= 32 * mib, `${size} bytes`)
})

test('an option of Node.js for the size of the young generation takes precedence', async t => {
  const size = largestSize(['--min-semi-space-size=40', '--max-semi-space-size=64'])
  t.ok(size >= 80 * mib, `${size} bytes`)
})

test('V8 decides the size of the young generation of a small heap', async t => {
  const size = largestSize(['--max-old-space-size=64'], 32 * mib, 30_000)
  t.ok(size > 32 * mib, `${size} bytes`)
})
