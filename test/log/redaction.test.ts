import { escape } from 'node:querystring'
import fc from 'fast-check'
import { test } from 'tap'
import { cut } from '../../src/log/cut.ts'
import { Finder } from '../../src/log/finder.ts'
import { Redaction } from '../../src/log/redaction.ts'

const hidden = '[redacted]'
const logged = (fields: object) => `${JSON.stringify({ level: 30, time: 1, msg: 'said', ...fields })}\n`
const go = (text: string) =>
  JSON.stringify(text).replaceAll(/[<>&]/g, each => `\\u00${each.charCodeAt(0).toString(16)}`)
const php = (text: string) => JSON.stringify(text).replaceAll('/', '\\/')
const python = (text: string) =>
  JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** What an upstream, a proxy or a library may make of a text that it was sent. */
const writers: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': secret => secret,
  encodeURIComponent,
  encodeURI,
  'in lower-case hexadecimal digits': secret =>
    encodeURIComponent(secret).replaceAll(/%../g, each => each.toLowerCase()),
  'as RFC 3986 has it': escape,
  'form-encoded': secret => new URLSearchParams({ secret }).toString().slice('secret='.length),
  'encoded for a URL twice': secret => encodeURIComponent(encodeURIComponent(secret)),
  'quoted once more': secret => JSON.stringify(secret),
  'quoted twice more': secret => JSON.stringify(JSON.stringify({ secret })),
  'quoted by Go': go,
  'quoted by PHP': php,
  'quoted by Python': python,
  'in HTML': secret =>
    secret
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
  'in hexadecimal': secret => Buffer.from(secret).toString('hex'),
}

for (const [what, write] of Object.entries(writers)) {
  test(`a secret is hidden ${what}, alone and within a text`, async t => {
    for (const secret of ['plain-Secret_1.2~3', 'p/s&w"or<d> \\ +=\'(!*)', 'ümläut-sécret', 'a b%20c%']) {
      const { hide } = new Redaction(['another-one', secret])
      const written = write(secret)
      t.match(JSON.parse(hide(logged({ text: written }))).text, hidden, secret)
      const line = hide(logged({ url: `https://host/a/${written}/b`, nested: [{ deep: `x${written}y` }] }))
      t.doesNotThrow(() => JSON.parse(line))
      t.notOk(line.includes(JSON.stringify(written).slice(1, -1)), line)
    }
  })
}

test('a secret is hidden in base64 of both alphabets, wherever it stands within other bytes', async t => {
  const secret = 'p/s&w"or<d>?~~~-5ecret'
  const { hide } = new Redaction([secret])
  for (const before of ['', 'u', 'us', 'us:', 'user'])
    for (const after of ['', '.', '..', '...'])
      for (const alphabet of ['base64', 'base64url'] as const) {
        const text = Buffer.from(before + secret + after).toString(alphabet)
        for (const written of [text, encodeURIComponent(text)]) {
          const { said } = JSON.parse(hide(logged({ said: `sent ${written} there` }))) as { readonly said: string }
          t.match(said, hidden)
          // The characters at its sides belong to the secret in part: at most 10 bits of it.
          const left = said
            .replace(hidden, '')
            .replace(/^sent /, '')
            .replace(/ there$/, '')
          t.ok(left.length <= Math.ceil(((before.length + after.length) * 4) / 3) + 8, `${written} is ${said}`)
        }
      }
})

test('a secret whose text was cut is hidden as far as it is there', async t => {
  const secret = 'abcdefghij-5ecret-klmnop'
  const { hide } = new Redaction([secret])
  for (const write of [writers['as it is'], writers['in hexadecimal']])
    for (let shown = 3; shown < 24; shown++) {
      const line = hide(logged({ why: cut('x'.repeat(500 - shown) + write?.(secret)) }))
      t.notOk(line.includes('xabc') || line.includes('x616'), line.slice(-80))
      t.match(line, /x\[redacted\]\[cut\]/)
    }
  t.match(
    hide(logged({ why: cut(`${'x'.repeat(480)} http://us:password-of-many-letters@host/`) })),
    '//[redacted][cut]',
  )
})

test('learnt tokens, and texts that look like a token, are hidden without `Bearer` too', async t => {
  const redaction = new Redaction([])
  redaction.learn('opaque-t0ken-value')
  redaction.learn('opaque-t0ken-value')
  const jwt = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from('{"sub":"1"}').toString('base64url')}.c2lnbmF0dXJl`
  for (const [text, clean] of [
    ['it was opaque-t0ken-value here', `it was ${hidden} here`],
    [`invalid token ${jwt}.`, `invalid token ${hidden}`],
    ['{"access_token":"abc.def","expires_in":1}', `{"access_token":"${hidden}","expires_in":1}`],
    ['bearer%20abcdefgh and Basic+abcdefgh', `bearer%20${hidden} and Basic+${hidden}`],
    ['refresh_token=abc&x=1', 'refresh_token=abc&x=1'],
    ['/?refresh_token=abc&x=1', `/?refresh_token=${hidden}&x=1`],
  ] as const)
    t.equal(JSON.parse(redaction.hide(logged({ text }))).text, clean)
})

test('of tokens that were given later, the last ones are known', async t => {
  const redaction = new Redaction(['given-at-the-start'])
  for (let index = 0; index < 200; index++) redaction.learn(`token-number-${1000 + index}`)
  t.equal(
    JSON.parse(redaction.hide(logged({ text: 'token-number-1199 given-at-the-start token-number-1000' }))).text,
    `${hidden} ${hidden} token-number-1000`,
  )
})

test('secrets that are added later are hidden, and are not forgotten like tokens', async t => {
  const redaction = new Redaction(['first-5ecret'])
  t.equal(redaction.hide('first-5ecret second-5ecret'), `${hidden} second-5ecret`)
  redaction.add(['second-5ecret', 'first-5ecret'])
  for (let index = 0; index < 1000; index++) redaction.learn(`token-5ecret-${index}`)
  t.equal(redaction.hide('first-5ecret second-5ecret'), `${hidden} ${hidden}`)
})

test('a credential in a query is hidden by the name of its parameter, also in brackets', async t => {
  const redaction = new Redaction()
  for (const name of ['pwd', 'pass', 'passphrase', 'otp', 'bearer', 'api_key', 'filter[token]', 'a%5Bpassword%5d'])
    t.equal(redaction.hide(`GET http://a/b?q=1&${name}=VALUE-1&c=2`), `GET http://a/b?q=1&${name}=[redacted]&c=2`, name)
  for (const name of ['compass', 'bypass', 'filter[name]'])
    t.equal(redaction.hide(`http://a/b?${name}=VALUE-1`), `http://a/b?${name}=VALUE-1`, name)
})

test('a line without a secret stays as it is', async () => {
  const { hide } = new Redaction(['some-secret-of-ours'])
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.stringMatching(/^[a-z]+$/),
        fc.oneof(
          fc.stringMatching(/^[a-z0-9 ,.:/]*$/).filter(text => !/bearer|basic/.test(text)),
          fc.integer(),
        ),
      ),
      fields => {
        const line = logged(fields)
        return hide(line) === line
      },
    ),
  )
})

test('the finder replaces what a simple search replaces', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 60 })
  const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 3, maxLength: 8 }), {
    minLength: 1,
    maxLength: 6,
  })
  fc.assert(
    fc.property(words, text, (texts, line) => {
      const longestFirst = texts.toSorted((a, b) => b.length - a.length)
      return new Finder(texts).replace(line, '-') === line.replaceAll(new RegExp(longestFirst.join('|'), 'g'), '-')
    }),
    { numRuns: 2000 },
  )
})

test('no line takes longer than its length asks for', async t => {
  const { hide } = new Redaction(['some-secret-of-ours', 'aaaaaaaaaaaaaaab'])
  const million = 1_000_000
  const repeated = (text: string) => text.repeat(Math.ceil(million / text.length))
  for (const text of [
    'a',
    '=',
    '@',
    '//',
    '//a',
    'token=',
    '?token=a',
    '_token=',
    'a-token',
    'eyJ',
    'eyJ-',
    'eyJaaaaaa.',
    'bearer ',
    'bearer aaaaaaaa',
    'basic:',
    '\\"token\\":\\"',
    '\\\\"',
    '"',
    'some-secret-of-our',
  ]) {
    const before = process.cpuUsage()
    hide(repeated(text))
    const { user, system } = process.cpuUsage(before)
    t.ok(user + system < 2_000_000, `${text}: ${((user + system) / 1000).toFixed(0)} ms of CPU time`)
  }
})
