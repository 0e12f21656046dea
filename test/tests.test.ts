import { EventEmitter } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { faultsOfTest } from './helpers/test-rules.ts'
import { elapsed, until, untilEvent, within } from './helpers/until.ts'

/** Files that a rule may not judge, with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  'helpers/until.ts': 'the one place that waits',
  'tests.test.ts': 'has the faults in its own text',
  'helpers/test-rules.ts': 'names the faults',
}

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => file.endsWith('.ts') && exceptions[file] === undefined)

test('no test sleeps, polls without a bound, passes without a fact, or has a title that leans on another', t => {
  t.ok(files.length > 400, `${files.length} files`)
  t.same(
    files.flatMap(file =>
      faultsOfTest(readFileSync(join(import.meta.dirname, file), 'utf8')).map(fault => `test/${file}: ${fault}`),
    ),
    [],
  )
  t.end()
})

test('each exception from the rules of tests is a file that exists and breaks a rule', t => {
  for (const file of Object.keys(exceptions))
    t.not(faultsOfTest(readFileSync(join(import.meta.dirname, file), 'utf8')).length, 0, file)
  t.end()
})

for (const [fault, text] of [
  ['does not state what was shown', 't.pass()'],
  ['does not state what was shown', "t.pass('closed')"],
  ['asserts nothing', "test('threads close', async () => {\n  await close()\n})"],
  ['a sleep', "import { setTimeout as delay } from 'node:timers/promises'"],
  ['a sleep', 'await new Promise(resolve => setTimeout(resolve, 10))'],
  ['a sleep', 'await new Promise<void>(resolve => {\n  setTimeout(resolve, 10)\n})'],
  ['a sleep', 'await new Promise<void>(done => {\n  setTimeout(() => done(), 10)\n})'],
  ['without a bound', '  while (open > 1) await turn()'],
  ['without a bound', "  while ((await ask('/')).status !== 200);"],
  [
    'without a bound',
    '  while (begun === before)\n    await new Promise(resolve => {\n      setImmediate(resolve)\n    })',
  ],
  ['without a bound', '  if (isForced) while (isOpen()) await turn()'],
  ['without a bound', '  for (;;) {\n    await turn()\n  }'],
  ['without a bound', '  do last = await ask()\n  while (last !== 1)'],
  ['does not name its subject', "test('and then the queue is empty', t => t.end())"],
  ['does not name its subject', 'test(\n  `the same over ${protocol}`,\n  t => t.end(),\n)'],
  ['does not name its subject', "test('what a 404 becomes', t => t.end())"],
  ['hides its subject', "test('a text that is no date is refused', t => t.end())"],
  ['hides its subject', "test('a part may be overwritten by whoever sent it', t => t.end())"],
  ['is that of another test', "test('a queue', one)\ntest('a queue', other)"],
] as const)
  test(`the rules of tests find: ${text.replace(/\s+/g, ' ')}`, t => {
    t.equal(faultsOfTest(text).length, 1)
    t.match(faultsOfTest(text)[0], fault)
    t.end()
  })

test('the rules of tests leave alone: loops with a bound, loops that do not wait, delays of an upstream', t => {
  for (const text of [
    '  while (left-- > 0) await ask()',
    '  while (!isOver) await ask()',
    '  while (performance.now() < until) await turn()',
    '  while (held.length > 0) held.pop()?.answer()',
    '  const push = () => {\n    while (socket.write(piece));\n  }\n  await closed',
    '  for (let tries = 0; tries < 10; tries++) await ask()',
    '  for (const each of all) await each',
    '  while (held.length > 0) held.pop()\n  await turn()',
    '  for (;;) {\n    if (next() === undefined) break\n  }\n  await turn()',
    '  setTimeout(() => {\n    socket.write(answer)\n  }, 3)',
    "  t.pass('held for 100 histories')",
    "test('a queue is fair', async () => {\n  await fc.assert(property)\n})",
    "test('a queue is empty', one)\ntest('a queue is full', other)",
  ])
    t.same(faultsOfTest(text), [], text)
  t.end()
})

test('until() resolves when its condition holds, and else fails with the text of the condition and what was seen', async t => {
  let turns = 0
  await until(() => ++turns === 3)
  t.equal(turns, 3)
  await t.rejects(
    until(() => turns === 0, { withinMs: 5, seen: () => turns }),
    new Error('after 5 ms this does not hold: turns === 0; seen: 3'),
  )
})

test('untilEvent() checks its condition at once and at each event, and fails when there is none in time', async t => {
  const events = new EventEmitter()
  let count = 0
  await untilEvent(events, 'one', () => count === 0)
  const two = untilEvent(events, 'one', () => count === 2)
  for (count = 1; count <= 2; count++) events.emit('one')
  count = 2
  events.emit('one')
  await two
  t.equal(events.listenerCount('one'), 0)
  const held = setInterval(() => {}, 1000)
  await t.rejects(
    untilEvent(events, 'one', () => count === 0, { withinMs: 5 }),
    new Error('after 5 ms this does not hold: count === 0'),
  )
  clearInterval(held)
})

test('within() resolves with the value of a promise, or with undefined when it takes too long', async t => {
  t.equal(await within(10_000, Promise.resolve('value')), 'value')
  t.equal(await within(1, new Promise(() => {})), undefined)
  await t.rejects(within(10_000, Promise.reject(new Error('failed'))), new Error('failed'))
})

test('elapsed() resolves when the time has passed, and not before', async t => {
  const since = performance.now()
  await elapsed(5, since)
  t.ok(performance.now() - since >= 5)
})
