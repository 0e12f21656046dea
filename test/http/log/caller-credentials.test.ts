import { test } from 'tap'
import { CallerCredentials } from '../../../src/http/log/caller-credentials.ts'
import { cut } from '../../../src/log/cut.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('the credentials in headers of a caller are hidden, and other headers are not', async t => {
  for (const [headers, text, clean] of [
    [{ authorization: 'Bearer abc.def' }, 'no Bearer of abc.def', 'no Bearer of [redacted]'],
    [{ authorization: 'opaque-value' }, 'got opaque-value', 'got [redacted]'],
    [
      { authorization: `Basic ${base64('us:pass-word')}` },
      `${base64('us:pass-word')} us:pass-word pass-word`,
      '[redacted] [redacted] [redacted]',
    ],
    [{ 'proxy-authorization': 'Bearer abc.def' }, 'abc.def', '[redacted]'],
    [
      { cookie: 'id=first-one; lang=en; id2=second=one' },
      'id=first-one; lang=en; id2=second=one, first-one, en, second=one, id2',
      '[redacted], [redacted], en, [redacted], id2',
    ],
    [{ 'x-api-key': 'key-value' }, 'key-value', '[redacted]'],
    [{ 'x-session-token': 'token-value' }, 'a token-value', 'a [redacted]'],
    [{ session: 'session-value' }, 'session-value', '[redacted]'],
    [
      { 'x-forwarded-for': '10.0.0.1', accept: '*/*', host: 'localhost' },
      '10.0.0.1 */* localhost',
      '10.0.0.1 */* localhost',
    ],
    [{ 'x-api-key': 'abc' }, 'abc', 'abc'],
    [{ 'x-api-key': 'longer-key', token: 'long' }, 'longer-key long', '[redacted] [redacted]'],
    [{ 'set-cookie': ['first=one', 'second=two'] }, 'first=one second=two', '[redacted] [redacted]'],
    [{ authorization: 'Bearer a+b/c==' }, 'a+b/c== a%2Bb%2Fc%3D%3D', '[redacted] [redacted]'],
    [{}, 'Bearer', 'Bearer'],
  ] as const)
    t.equal(new CallerCredentials(headers as never).hide(text), clean, JSON.stringify(headers))
})

test('the beginning of a credential is hidden where a text was cut', async t => {
  const key = 'abcdefghijklmnop'
  const credentials = new CallerCredentials({ 'x-api-key': key })
  for (let shown = 4; shown < key.length; shown++) {
    const text = credentials.hide(cut('.'.repeat(500 - shown) + key))
    t.equal(text, `${'.'.repeat(500 - shown)}[redacted][cut] (${key.length - shown} more)`)
  }
  t.equal(credentials.hide('.[cut]'), '.[cut]')
})

test('many cookies take little time', async t => {
  const cookie = Array.from({ length: 20_000 }, (_, index) => `c${index}=value-${index}`).join('; ')
  const credentials = new CallerCredentials({ cookie })
  const before = process.cpuUsage()
  for (let times = 0; times < 20; times++) credentials.hide(cut(cookie))
  const { user } = process.cpuUsage(before)
  t.ok(user < 500_000, `${(user / 1000).toFixed(0)} ms of CPU time`)
})
