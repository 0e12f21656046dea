import fc from 'fast-check'
import { test } from 'tap'
import { ConnectResponse, type ConnectResult } from '../../../src/upstream/connect/connect-response.ts'

/** Reads an answer that comes in parts; the end of the last part is reached only without a result. */
function read(...parts: (string | Buffer)[]): ConnectResult | undefined {
  const answer = new ConnectResponse()
  for (const [index, part] of parts.entries()) {
    const result = answer.add(Buffer.from(part as string, 'latin1'))
    if (result === undefined) continue
    if (!('rest' in result)) return result
    return {
      rest: Buffer.concat([
        result.rest,
        ...parts.slice(index + 1).map(later => Buffer.from(later as string, 'latin1')),
      ]),
    }
  }
  return undefined
}

const tunnelled = (rest: string | Buffer) => ({ rest: Buffer.from(rest as string, 'latin1') })

test('every 2xx makes a tunnel, in whatever spelling', async t => {
  for (const head of [
    'HTTP/1.1 200 Connection established\r\n\r\n',
    'HTTP/1.0 200 OK\r\n\r\n',
    'HTTP/1.1 200\r\n\r\n',
    'HTTP/1.1 200 \r\n\r\n',
    'HTTP/1.1  200\tOK\r\n\r\n',
    'HTTP/1.1 201 Created\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 299 Whatever\r\n\r\n',
    'HTTP/1.1 200 OK\n\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nVIA:x\r\nvia : y\r\nX-Folded: a\r\n b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n',
  ]) {
    t.same(read(head), tunnelled(''), JSON.stringify(head))
    t.same(read(`${head}hello`), tunnelled('hello'), 'what comes behind it belongs to the tunnel')
  }
})

test('interim answers come before the final one, and not without end', async t => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
  t.same(read(`${interim}HTTP/1.1 200 OK\r\n\r\nbytes`), tunnelled('bytes'))
  t.same(read(interim), undefined)
  t.match(read(`${interim}HTTP/1.1 403 Forbidden\r\n\r\n`), { refusal: 'the proxy answered CONNECT with status 403' })
  t.same(read(`${interim.repeat(4)}HTTP/1.1 200 OK\r\n\r\n`), tunnelled(''))
  t.match(read(`${interim.repeat(5)}HTTP/1.1 200 OK\r\n\r\n`), { refusal: /more than 8 interim answers$/ })
})

test('any other status is a refusal, and so is a switch of protocols', async t => {
  for (const status of ['101', '302', '400', '403', '407', '502', '999', '000'])
    t.same(read(`HTTP/1.1 ${status} Whatever\r\n\r\n`), { refusal: `the proxy answered CONNECT with status ${status}` })
  for (const line of [
    'HTTP/1.1',
    'HTTP/1.1 OK',
    'HTTP/1.1 20',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1200 OK',
    'HTTP/1.2 200 OK',
  ])
    t.same(read(`${line}\r\n\r\n`), { refusal: 'the proxy answered CONNECT with status none' }, line)
})

test('a response that is not HTTP/1 is refused at its first wrong byte', async t => {
  for (const nonsense of [
    'S',
    'HTTQ',
    'HTTP/2',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    '\x15\x03\x03\x00\x02\x02\x28',
    '\0',
  ]) {
    t.match(read(nonsense), { refusal: /something that is not HTTP\/1\.1$/ }, JSON.stringify(nonsense))
  }
  for (const beginning of [
    '',
    'H',
    'HTTP/1.',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\n\r',
    '\r\n',
  ])
    t.equal(read(beginning), undefined, JSON.stringify(beginning))
})

test('an answer has at most 16 KiB, interim answers included', async t => {
  const start = 'HTTP/1.1 200 OK\r\nx: '
  const of = (bytes: number) => `${start}${'x'.repeat(bytes - start.length - 4)}\r\n\r\n`
  t.same(read(of(16 * 1024) + 'y'.repeat(100_000)), tunnelled('y'.repeat(100_000)), 'the tunnel is not counted')
  t.match(read(of(16 * 1024 + 1)), { refusal: /more than 16384 bytes$/ })
  t.match(read('HTTP/1.1 200 OK\r\n' + 'x'.repeat(20_000)), { refusal: /more than 16384 bytes$/ })
  t.match(read('\r\n'.repeat(9000)), { refusal: /more than 16384 bytes$/ })
  const interim = of(9000).replace('200 OK', '100 OK')
  t.match(read(interim, interim), { refusal: /more than 16384 bytes$/ })
})

test('the parts in which an answer comes make no difference', async t => {
  const line = fc.constantFrom('via: a', 'Content-Length: 7', 'x :y', ' folded', 'x')
  const head = fc
    .tuple(
      fc.constantFrom('100', '102', '200', '201', '403'),
      fc.array(line, { maxLength: 3 }),
      fc.constantFrom('\r\n', '\n'),
    )
    .map(([status, lines, end]) => [`HTTP/1.1 ${status} x`, ...lines, '', ''].join(end))
  const rest = fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes).toString('latin1'))
  fc.assert(
    fc.property(fc.array(head, { maxLength: 10 }), rest, fc.array(fc.nat(400)), (heads, rest, cuts) => {
      const whole = heads.join('') + rest
      const places = [0, ...cuts.filter(cut => cut < whole.length).sort((a, b) => a - b), whole.length]
      const parts = places.slice(1).map((place, index) => whole.slice(places[index], place))
      const [a, b] = [read(whole), read(...parts)].map(result => JSON.stringify(result ?? null))
      if (a !== b) throw new Error(`${a} as a whole, ${b} in parts`)
    }),
    { numRuns: 1000 },
  )
  t.pass('held for 1000 answers')
})
