import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { testRun } from '../../helpers/call.ts'

const path = '/'
const output = z.unknown()
const origin = 'http://127.0.0.1:9'

/** Returns the headers of a call, or the error that its creation throws. */
function headersOf(create: () => { readonly headers: Readonly<Record<string, string>> | undefined }): unknown {
  try {
    const { headers } = create()
    return headers === undefined ? undefined : { ...headers }
  } catch (error) {
    return error
  }
}

const { values, whole, loose } = defineUpstream(
  'cats',
  { origin },
  {
    values: operation({
      path,
      output,
      headers: z.object({
        'X-Text': z.string().optional(),
        'x-number': z.number().optional(),
        'x-big': z.bigint().optional(),
        'x-flag': z.boolean().nullish(),
        'x-made': z.any().optional(),
      }),
    }),
    whole: operation({ path, output, headers: z.object({ 'x-a': z.string() }).nullable().default({ 'x-a': 'none' }) }),
    loose: operation({ path, output, headers: z.object({ constructor: z.string() }) }),
  },
)

test('each value of a header is written as text, by the lower-case name', t => {
  const given = (headers: object) => headersOf(() => values({ headers }))
  t.strictSame(given({ 'X-Text': 'a \u00e9\t~', 'x-number': -0.5, 'x-big': 2n ** 70n, 'x-flag': false }), {
    'x-text': 'a \u00e9\t~',
    'x-number': '-0.5',
    'x-big': '1180591620717411303424',
    'x-flag': 'false',
  })
  t.strictSame(given({ 'X-Text': '' }), { 'x-text': '' })
  t.equal(given({ 'X-Text': undefined, 'x-flag': null }), undefined, 'no value is no header')
  t.equal(
    headersOf(() => values()),
    undefined,
  )
  t.end()
})

test('an input without headers is parsed as an empty object, or as undefined if the schema accepts it', t => {
  t.strictSame(
    headersOf(() => whole()),
    { 'x-a': 'none' },
  )
  t.equal(
    headersOf(() => whole({ headers: null })),
    undefined,
  )
  t.strictSame(
    headersOf(() => whole({ headers: { 'x-a': 'b' } })),
    { 'x-a': 'b' },
  )
  t.match(
    headersOf(() => loose({} as never)),
    { code: 'CALL_INPUT_INVALID', message: /headers\.constructor: / },
  )
  t.end()
})

test('the name of an inherited property is the name of a header like any other', t => {
  t.strictSame(Object.entries(loose({ headers: { constructor: 'a' } }).headers ?? {}), [['constructor', 'a']])
  t.equal(
    headersOf(() => values({ headers: JSON.parse('{ "__proto__": { "x-text": "a" } }') as never })),
    undefined,
  )
  t.end()
})

test('a value that a header cannot hold is an invalid input, and the message does not contain it', t => {
  for (const [value, reason] of [
    ['secret\r\nx-b: c', /cats\.values .*headers\.X-Text: U\+000D is a control character or beyond Latin-1/],
    ['secret\0', /U\+0000/],
    ['secret\u{1f408}', /U\+1F408/],
    ['secret\ud800', /U\+D800/],
    ['secret'.repeat(3000), /headers\.X-Text: it has more than 16384 characters/],
  ] as const) {
    const error = headersOf(() => values({ headers: { 'X-Text': value } }))
    t.ok(error instanceof UpstreamError)
    t.match(error, { code: 'CALL_INPUT_INVALID', message: reason })
    t.notMatch((error as Error).message, /secret/)
  }
  t.end()
})

test('a value that has no text in a header is a bug of the operation', t => {
  for (const made of [{}, ['a'], new Date(0), Number.NaN, Symbol('a'), () => 'a'])
    t.match(
      headersOf(() => values({ headers: { 'x-made': made } })),
      {
        name: 'TypeError',
        message: /^cats\.values: the header 'x-made' must be a string, a number or a boolean: trans/,
      },
    )
  t.end()
})

test('a name that a schema did not show at its declaration is a bug of the operation', t => {
  const late: { schema?: z.ZodType<Record<string, string>> } = {}
  const headers = z.lazy(() => {
    if (late.schema === undefined) throw new ReferenceError('declared later in the file')
    return late.schema
  })
  const { hidden } = defineUpstream('cats', { origin }, { hidden: operation({ path, output, headers }) })
  late.schema = z.record(z.string(), z.string())
  t.match(
    headersOf(() => hidden({ headers: { host: 'evil.example' } })),
    {
      name: 'TypeError',
      message: "cats.hidden: its schema of headers does not name 'host', which it returned: add it",
    },
  )
  t.end()
})

test('a call in flight begins with the headers of its input, and keeps them when a layer adds others', t => {
  const live = testRun().ask(values({ headers: { 'X-Text': 'a' } }))
  t.strictSame({ ...live.headers }, { 'x-text': 'a' })
  t.strictSame({ ...live.withHeaders({ 'x-b': 'b' }).headers }, { 'x-text': 'a', 'x-b': 'b' })
  t.strictSame({ ...live.nextAttempt().headers }, { 'x-text': 'a' })
  t.strictSame({ ...live.detached(live.abort, live.scope).headers }, { 'x-text': 'a' })
  t.equal(testRun().ask(values()).headers, undefined)
  t.end()
})
