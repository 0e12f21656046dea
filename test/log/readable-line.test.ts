import { stripVTControlCharacters } from 'node:util'
import { test } from 'tap'
import fc from 'fast-check'
import { lineFormat } from '../../src/log/log-format.ts'
import { readableLine } from '../../src/log/readable-line.ts'

const time = new Date(2026, 4, 1, 9, 8, 7, 65).getTime()
const line = (fields: object) =>
  readableLine(`${JSON.stringify({ level: 30, time, pid: 7, hostname: 'here', ...fields })}\n`, false)

test('a line has the time, the level, the message, and the fields with the fields of objects', async t => {
  t.equal(
    line({
      reqId: 'a-1',
      req: { method: 'GET', url: '/v1/cat-facts', host: 'localhost:3000' },
      res: { statusCode: 200 },
      responseTime: 12.300000000000011,
      lost: [{ step: 'a' }],
      empty: '',
      why: 'it is "late"',
      none: null,
      msg: 'request completed',
    }),
    '09:08:07.065 INFO  request completed reqId=a-1 req.method=GET req.url=/v1/cat-facts req.host=localhost:3000 ' +
      'res.statusCode=200 responseTime=12.3 lost=[{"step":"a"}] empty="" why="it is \\"late\\"" none=null\n',
  )
})

test('each level has its name', async t => {
  for (const [level, name] of [
    [10, 'TRACE'],
    [20, 'DEBUG'],
    [40, 'WARN '],
    [50, 'ERROR'],
    [60, 'FATAL'],
    [35, '35   '],
  ] as const)
    t.equal(line({ level, msg: 'm' }), `09:08:07.065 ${name} m\n`)
})

test('a stack stands below its line', async t => {
  t.equal(
    line({
      level: 50,
      msg: 'failed',
      err: { type: 'Error', message: 'a bug', stack: 'Error: a bug\n    at f (a.ts:1:2)' },
    }),
    '09:08:07.065 ERROR failed err.type=Error err.message="a bug"\n    Error: a bug\n    at f (a.ts:1:2)\n',
  )
})

test('no text of a line controls the terminal', async t => {
  const hostile = ['\x1b[2J', '\x9b2J', '\x07', '\r', '\n', '\x7f', '\u202e', '\u2028', '\u200b', '\ufeff']
  const text = fc.array(fc.oneof(fc.constantFrom(...hostile), fc.string())).map(parts => parts.join(''))
  fc.assert(
    fc.property(text, text, text, (name, value, msg) => {
      for (const output of [
        line({ [name]: value, msg, err: { stack: value }, list: [value] }),
        readableLine(msg, false),
      ])
        for (const each of output.slice(0, -1).split('\n'))
          t.notMatch(each, /[\p{Cc}\u2028\u2029\u202a-\u202e\u200b\ufeff]/u)
    }),
    { numRuns: 200 },
  )
})

test('a line that is not of JSON stays', async t => {
  for (const text of ['plain text', '7', 'null']) t.equal(readableLine(`${text}\n`, true), `${text}\n`)
})

test('auto is text at a terminal and JSON elsewhere; only a terminal gets colours, unless NO_COLOR is set', async t => {
  const json = '{"level":30,"msg":"m"}\n'
  const format = (...args: Parameters<typeof lineFormat>) => lineFormat(...args)?.(json)
  const escape = '\x1b['
  t.equal(format('json', {}, true), undefined)
  t.equal(format('auto', {}, false), undefined)
  t.match(format('auto', {}, true), escape)
  t.match(format('text', {}, true), escape)
  t.equal(format('text', {}, false), '--:--:--.--- INFO  m\n')
  for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
    t.equal(format('auto', environment, true), '--:--:--.--- INFO  m\n')
})

test('a stack that is a field of the line stands below it', async t => {
  t.equal(
    line({ msg: 'failed', stack: 'Error: a\n    at f (a.ts:1:2)' }),
    '09:08:07.065 INFO  failed\n    Error: a\n    at f (a.ts:1:2)\n',
  )
  t.equal(line({ msg: 'failed', stack: { depth: 2 } }), '09:08:07.065 INFO  failed stack.depth=2\n')
})

test('every number has its value; the time of a response is rounded to a microsecond', async t => {
  t.equal(
    line({
      msg: 'm',
      small: 0.00012,
      tiny: 5e-7,
      bytes: 123_456_789_012,
      ratio: 0.123456,
      responseTime: 0.1234567,
      outer: { responseTime: 0.1234567 },
    }),
    '09:08:07.065 INFO  m small=0.00012 tiny=5e-7 bytes=123456789012 ratio=0.123456 responseTime=0.123 ' +
      'outer.responseTime=0.1234567\n',
  )
})

test('an empty object is a field too', async t => {
  t.equal(line({ msg: 'm', res: {}, list: [] }), '09:08:07.065 INFO  m res={} list=[]\n')
})

test('a line without a level, or with one that is not of pino, is shown with what it has', async t => {
  for (const [fields, level] of [
    [{}, ''],
    [{ level: null }, 'null'],
    [{ level: 'constructor' }, 'constructor'],
    [{ level: 'toString' }, 'toString'],
    [{ level: '__proto__' }, '__proto__'],
    [{ level: {} }, '{}'],
  ] as const)
    for (const color of [false, true])
      t.equal(
        stripVTControlCharacters(readableLine(`${JSON.stringify({ time, msg: 'm', ...fields })}\n`, color)),
        `09:08:07.065 ${level.padEnd(5)} m\n`,
      )
  t.equal(readableLine('{}\n', false), `--:--:--.--- ${' '.repeat(5)} \n`)
})

test('a line of a JSON array stays', async t => {
  t.equal(readableLine('[1]\n', false), '[1]\n')
})

test('a source of a run is its state with parameters, and other fields of sources are as everywhere', async t => {
  t.equal(
    line({
      msg: 'reply is partial',
      url: '/v1/cat-facts',
      sources: {
        ninja: { state: 'ok', ms: 31.2, attempts: 1 },
        meow: { state: 'fallback', ms: 12, attempts: 2, code: 'UPSTREAM_STATUS', why: 'a "bad" one', lost: [{ a: 1 }] },
        state: 'open',
        other: { sources: { state: 'none' } },
      },
    }),
    '09:08:07.065 INFO  reply is partial url=/v1/cat-facts sources.ninja=ok;ms=31.2;attempts=1 ' +
      'sources.meow=fallback;ms=12;attempts=2;code=UPSTREAM_STATUS;why="a \\"bad\\" one";lost=[{"a":1}] ' +
      'sources.state=open sources.other.sources.state=none\n',
  )
})

test('a source controls no terminal', async t => {
  const text = line({ msg: 'm', sources: { a: { state: '\x1b[2J', 'k\x07': '\u202e' } } })
  t.notMatch(text.slice(0, -1), /[\p{Cc}\u202e]/u)
  t.match(text, 'sources.a="\\u001b[2J";k\\u0007=\\u202e')
})
