import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, env, operation, specOf } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'

const origin = 'https://cats.example'
const cats = (options: object, operations: unknown = {}) =>
  defineUpstream('cats', { origin, ...options }, operations as never)
const fact = (options: object) => cats({}, { fact: operation({ path: '/fact', output: z.object({}), ...options }) })
const route = (options: object) => aggregate('party', { url: '/party', ...options })
const bare = (fields: object): object => Object.assign(Object.create(null), fields)
const base = route({}).required('one', () => 1)

/** What definitions without a type check may give in the place of each option. */
const wrong = [undefined, null, 7, true, [7], () => {}]

const places: readonly (readonly [
  place: string,
  declare: (value: never) => unknown,
  named: RegExp,
  right: readonly unknown[],
])[] = [
  [
    'the name of an upstream',
    name => defineUpstream(name, { origin }, {}),
    /^the upstream '.*' needs a name/,
    ['cats'],
  ],
  ['origin', value => cats({ origin: value }), /^upstream 'cats': origin .* a string such as 'https:/, [origin]],
  [
    'operations',
    value => defineUpstream('cats', { origin }, value),
    /^upstream 'cats': its operations .* an object/,
    [{}],
  ],
  [
    'forwardHeaders',
    value => cats({ forwardHeaders: value }),
    /^upstream 'cats': forwardHeaders .* a list of strings/,
    [undefined, []],
  ],
  [
    'headers',
    value => cats({ headers: value }),
    /^upstream 'cats': headers must be an object such as .*, got /,
    [undefined, {}],
  ],
  [
    'a header',
    value => cats({ headers: { 'x-a': value } }),
    /^upstream 'cats': the header 'x-a' cannot be sent: it must be a string such as 'cats\/1\.0', got (?:undefined|null|an? \w+)$/,
    [''],
  ],
  [
    'auth.header',
    value => cats({ auth: { header: value, secret: env('S') } }),
    /^upstream 'cats': auth.header .* a string/,
    ['x-a'],
  ],
  [
    'auth.query',
    value => cats({ auth: { query: value, secret: env('S') } }),
    /^upstream 'cats': auth.query .* a string/,
    ['key'],
  ],
  [
    'auth.secret',
    value => cats({ auth: { header: 'x-a', secret: value } }),
    /^upstream 'cats': auth.secret must come/,
    [env('S')],
  ],
  [
    'proxy',
    value => cats({ proxy: value }),
    /^upstream 'cats': proxy must be true, the URL/,
    [undefined, true, env('P')],
  ],
  [
    'layers.call',
    value => cats({ layers: { call: value } }),
    /^upstream 'cats': layers.call must be a list/,
    [undefined],
  ],
  ['operation()', value => operation(value), /^operation\(\): its options .* an object/, []],
  ['path', value => fact({ path: value }), /^cats.fact: path .* a string such as '\/facts/, ['/']],
  [
    'output',
    value => fact({ output: value }),
    /^cats.fact: (?:output is missing|its output schema is not a zod 4 schema)/,
    [z.object({})],
  ],
  [
    'query of an operation',
    value => fact({ query: value }),
    /^cats.fact: its query schema is not a zod 4 schema/,
    [undefined],
  ],
  [
    'the name of an aggregate',
    name => aggregate(name, { url: '/party' }),
    /^the aggregate '.*' needs a name/,
    ['party'],
  ],
  ['url', value => route({ url: value }), /^aggregate 'party': url .* a string such as '\/v1/, ['/']],
  [
    'method',
    value => route({ method: value }),
    /^aggregate 'party': the method must be one of GET, POST/,
    [undefined, 'PUT'],
  ],
  [
    'responseType',
    value => fact({ responseType: value }),
    /^cats.fact: responseType must be a string such as 'json', got (?:null|an? \w+)$/,
    [undefined, 'json', 'text', 'bytes'],
  ],
  [
    'method of an operation',
    value => fact({ method: value }),
    /^cats.fact: method must be a string such as 'GET', got (?:null|an? \w+)$/,
    [undefined, 'GET'],
  ],
  [
    'accept',
    value => fact({ accept: value }),
    /^cats.fact: accept must be a list of strings such as \['text\/csv'\](?:, got (?:null|an? \w+))?$/,
    [undefined, ['text/csv']],
  ],
  [
    'nullOn',
    value => fact({ nullOn: value }),
    /^cats.fact: nullOn (?:must be a list of statuses|must contain only statuses) from 400 to 499/,
    [undefined, [404]],
  ],
  [
    'idempotencyKey',
    value => fact({ method: 'POST', idempotencyKey: value }),
    /^cats.fact: idempotencyKey must be a function such as \(\{ body \}\) => body\.id, got (?:null|an? \w+)$/,
    [undefined, () => 'k'],
  ],
  [
    'tls.servername',
    value => cats({ tls: { servername: value } }),
    /^upstream 'cats': tls.servername must be a string such as 'cats.example', got (?:null|an? \w+)$/,
    [undefined, 'cats.example'],
  ],
  ['retry', value => cats({ retry: value }), /^upstream 'cats': retry must be an object/, [undefined, false, {}]],
  ['hedge', value => cats({ hedge: value }), /^upstream 'cats': hedge must be an object/, [undefined, true, false, {}]],
  ['breaker', value => cats({ breaker: value }), /^upstream 'cats': breaker must be an object/, [undefined, false, {}]],
  ...(['cacheControl', 'summary', 'description'] as const).map(
    option =>
      [
        `${option} of an aggregate`,
        (value: never) => route({ [option]: value }),
        new RegExp(`^aggregate 'party': ${option} must be a string such as '.*', got (?:null|an? \\w+)$`),
        [undefined, 'no-cache'],
      ] as const,
  ),
  [
    'query of an aggregate',
    value => route({ query: value }),
    /^aggregate 'party': its query schema is not a zod 4 schema/,
    [undefined],
  ],
  [
    'the name of a step',
    value => base.required(value, () => 1),
    /^aggregate 'party', step '.*': a step name must begin with a letter/,
    ['two'],
  ],
  [
    'needs',
    value => base.required('two', () => 1, { needs: value }),
    /^aggregate 'party', step 'two': needs must be a list of strings such as \['breed'\](?:, got (?:null|an? \w+))?$/,
    [undefined, ['one']],
  ],
  [
    'the schema of a reply',
    value => base.reply(value, (() => ({})) as never),
    /^aggregate 'party': (?:reply\(\) needs the zod schema|its reply schema is not a zod 4 schema)/,
    [z.object({})],
  ],
  [
    'the merge of a reply',
    value => base.reply(z.object({}), value),
    /^aggregate 'party': reply\(\) needs a function/,
    [() => ({})],
  ],
]

for (const [place, declare, named, right] of places)
  test(`${place}: a value that is missing or of another type is refused with its owner, its name and the fix`, async t => {
    for (const value of wrong) {
      if (right.some(each => each === value || (typeof each === 'function' && typeof value === 'function'))) continue
      t.throws(() => declare(value as never), { name: 'TypeError', message: named }, String(value))
    }
    for (const value of right) t.doesNotThrow(() => declare(value as never), String(value))
  })

const flags: Readonly<Record<string, (value: never) => unknown>> = {
  "upstream 'cats': decompress": value => cats({ decompress: value }),
  "upstream 'cats': publicOnly": value => cats({ publicOnly: value }),
  'cats.fact: allowEmpty': value => fact({ allowEmpty: value }),
  'cats.fact: batch': value => fact({ batch: value }),
  "aggregate 'party': envelope": value => route({ envelope: value }),
  "aggregate 'party': stream": value => route({ stream: value }),
  "aggregate 'party': batch": value => route({ batch: value }),
  "upstream 'cats': off": value => createRuntime({ overrides: { cats: { off: value } } }).close(),
}

for (const [place, declare] of Object.entries(flags))
  test(`${place}: a value that is not a boolean is refused, for example the string 'false'`, async t => {
    for (const [value, kind] of [
      ['false', 'a string'],
      ['', 'a string'],
      [null, 'null'],
      [0, 'a number'],
      [[true], 'a list'],
      [{}, 'an object'],
    ] as const)
      t.throws(() => declare(value as never), {
        name: 'TypeError',
        message: `${place} must be true or false, got ${kind}`,
      })
    for (const value of [undefined, true, false]) await t.resolves(async () => declare(value as never))
  })

test('an object whose entries are not its own properties is refused, and the fix is named', async t => {
  class Own {
    readonly 'x-a' = '1'
  }
  for (const headers of [
    new Headers({ 'x-a': '1' }),
    new Map([['x-a', '1']]),
    new URLSearchParams({ 'x-a': '1' }),
    new Own(),
    Object.create({ 'x-a': '1' }),
  ])
    t.throws(() => cats({ headers }), {
      name: 'TypeError',
      message:
        "upstream 'cats': headers must be a plain object such as { 'user-agent': 'cats/1.0' }: " +
        'write Object.fromEntries(…) for the entries of a Map or of Headers',
    })
  t.throws(() => defineUpstream('cats', { origin }, new Map() as never), {
    message: /^upstream 'cats': its operations must be a plain object/,
  })
  for (const headers of [
    { 'x-a': '1' },
    Object.assign({}, new Own()),
    runInNewContext("({ 'x-a': '1' })"),
    bare({ 'x-a': '1' }),
  ])
    t.same(specOf(cats({ headers })).headers, { 'x-a': '1' })
})

test('the message names the type of the value, and not the value itself, which may be a secret', async t => {
  for (const [value, said] of [
    [undefined, "is missing: it must be a string such as 'https://catfact.ninja'"],
    [null, "must be a string such as 'https://catfact.ninja', got null"],
    [7, "must be a string such as 'https://catfact.ninja', got a number"],
    [['hunter2'], "must be a string such as 'https://catfact.ninja', got a list"],
    [{ password: 'hunter2' }, "must be a string such as 'https://catfact.ninja', got an object"],
  ] as const)
    t.throws(() => cats({ origin: value }), {
      message: `upstream 'cats': origin ${said}`,
    })
})
