import { Writable } from 'node:stream'
import fastify from 'fastify'
import { test } from 'tap'
import { Redaction } from '../../src/log/redaction.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'

/** Logs with our options and gives every line. */
function arrange(secrets: readonly string[] = []) {
  const lines: string[] = []
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString())
      done()
    },
  })
  const { log } = fastify({
    logger: { ...(loggerOptions({ level: 'trace', redaction: new Redaction(secrets) }) as object), stream },
  })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> }
}

test('headers with credentials are redacted in every log line', async t => {
  const { log, last } = arrange()
  const headers = {
    authorization: 'Basic abcdef',
    cookie: 'a=b',
    'set-cookie': ['c=d'],
    'proxy-authorization': 'x',
    'x-api-key': 'y',
    accept: '*/*',
  }
  const clean = { ...Object.fromEntries(Object.keys(headers).map(name => [name, '[redacted]'])), accept: '*/*' }
  log.info({ headers })
  t.same(last()['headers'], clean)
  log.info({ request: { headers } })
  t.same(last()['request'], { headers: clean })
  log.error({ err: Object.assign(new Error('broken'), { headers }) })
  t.match(last()['err'], { message: 'broken', headers: clean })
})

test('a secret is redacted everywhere and in every encoding, and a text of a few letters is not a secret', async t => {
  const secret = 'a"b\\c/d&e'
  const { log, lines, last } = arrange([secret, 'long-secret', 'long-secret-and-more', 'in'])
  log.info(
    {
      text: `x${secret}y`,
      url: `/a?b=${encodeURIComponent(secret)}`,
      nested: [{ deep: secret }],
      err: new Error(`failed with ${secret}`, { cause: new Error(secret) }),
    },
    `said ${secret}`,
  )
  const [line = ''] = lines
  t.notMatch(line, 'b\\c')
  for (const part of ['c/d&e', 'c%2Fd%26e', 'd&e']) t.notOk(line.includes(part), part)
  t.match(last(), {
    text: 'x[redacted]y',
    url: '/a?b=[redacted]',
    nested: [{ deep: '[redacted]' }],
    msg: 'said [redacted]',
  })
  log.info('long-secret-and-more in long-secret')
  t.match(last(), { msg: '[redacted] in [redacted]' })
})

test('URLs and tokens are redacted by their pattern', async t => {
  const { log, last } = arrange()
  const lines: readonly (readonly [string, string])[] = [
    ['/a?q=1&api_key=abc&b=2', '/a?q=1&api_key=[redacted]&b=2'],
    ['/a?token=abc', '/a?token=[redacted]'],
    ['/a?access_token=a%20b#c', '/a?access_token=[redacted]#c'],
    ['/a?monkey=abc', '/a?monkey=abc'],
    ['http://us:them@host/a', 'http://[redacted]@host/a'],
    ['http://host/a@b', 'http://host/a@b'],
    ['sent Bearer abcdefgh.ij_k-l= there', 'sent Bearer [redacted] there'],
    ['Basic dXM6dGhlbQ==', 'Basic [redacted]'],
    ['a basic fault', 'a basic fault'],
  ]
  for (const [text, clean] of lines) {
    log.info({ text })
    t.equal(last()['text'], clean)
  }
})
