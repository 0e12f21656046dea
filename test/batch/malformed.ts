/** A place and the reason that a fault has there. */
export type ExpectedFault = readonly [pointer: string, reason: RegExp]

/** A body that is refused, or of which some calls are. */
export type Malformed = {
  readonly title: string
  readonly body: unknown
} & (
  | {
      readonly kind: 'refused'
      readonly method?: 'QUERY'
      /** All faults of the 400. */
      readonly faults: readonly ExpectedFault[]
    }
  /** The body is too large to be read: 413. */
  | { readonly kind: 'oversized' }
  | {
      readonly kind: 'answered'
      /** The status and the code of each call; a call that is `ok` has no code. */
      readonly results: Readonly<Record<string, readonly [status: number, code?: string]>>
    }
)

const ref = (text: unknown, others: object = {}) => ({ $ref: text, ...others })
const search = (id: unknown = 'a', input: unknown = { q: 'shoe' }, others: object = {}) => ({
  id,
  operation: 'shop.search',
  input,
  ...others,
})
const item = (id: string, input: unknown, others: object = {}) => ({ id, operation: 'shop.item', input, ...others })
const order = (id: string, body: unknown, others: object = {}) => ({
  id,
  operation: 'shop.order',
  input: { body },
  ...others,
})
const line = { sku: 'x', count: 1 }

function refused(title: string, body: unknown, faults: readonly ExpectedFault[], method?: 'QUERY'): Malformed {
  return { title, body, kind: 'refused', faults, ...(method && { method }) }
}

/** One body whose only call, or whose second call, has one fault. */
const one = (title: string, call: unknown, path: string, reason: RegExp) =>
  refused(title, { calls: [call] }, [[`/body/calls/0${path}`, reason]])
const second = (title: string, call: unknown, path: string, reason: RegExp) =>
  refused(title, { calls: [search(), call] }, [[`/body/calls/1${path}`, reason]])

const withProto = JSON.parse('{"q":"shoe","__proto__":{"limit":3}}') as unknown

/** Bodies of batches that `shopAt` refuses, in whole or in part, with what is expected. At most 100 calls are allowed. */
export const malformed: readonly Malformed[] = [
  // Shapes
  refused('no object', [search()], [['/body', /must be an object with the list calls/]]),
  refused('no list of calls', { calls: { a: search() } }, [['/body/calls', /must be a list/]]),
  refused('no calls', { calls: [] }, [['/body/calls', /at least one call/]]),
  refused(
    'an unknown field of the batch and of a call',
    { calls: [search('a', { q: 'x' }, { retries: 2 })], mode: 'fast' },
    [
      ['/body/mode', /not a field of a batch/],
      ['/body/calls/0/retries', /not a field of a call/],
    ],
  ),
  refused('a call that is no object', { calls: ['shop.search', null] }, [
    ['/body/calls/0', /must be an object/],
    ['/body/calls/1', /must be an object/],
  ]),
  refused('deadlineMs 0', { calls: [search()], deadlineMs: 0 }, [['/body/deadlineMs', /from 1 to 999999999/]]),
  refused('deadlineMs as a text', { calls: [search()], deadlineMs: '900' }, [['/body/deadlineMs', /whole number/]]),
  refused('deadlineMs above the largest', { calls: [search()], deadlineMs: 1e9 }, [
    ['/body/deadlineMs', /whole number/],
  ]),
  one('optional as a text', search('a', { q: 'x' }, { optional: 'yes' }), '/optional', /true or false/),
  one('needs as a text', search('a', { q: 'x' }, { needs: 'b' }), '/needs', /list of ids/),
  refused('a body that is nested too deeply', { calls: [search('a', JSON.parse('['.repeat(70) + ']'.repeat(70)))] }, [
    ['/body', /nested deeper than 64/],
  ]),

  // Ids
  one('no id', { operation: 'shop.search', input: { q: 'x' } }, '/id', /1 to 64/),
  one('an empty id', search(''), '/id', /1 to 64/),
  one('an id of 65 characters', search('a'.repeat(65)), '/id', /1 to 64/),
  refused('ids of all characters, and one of a letter beyond them', { calls: [search('aZ0-_9'), search('\u00e9')] }, [
    ['/body/calls/1/id', /1 to 64/],
  ]),
  one('an id with #', search('a#b'), '/id', /letters, digits, - and _/),
  one('an id that is a number', search(7), '/id', /must be a text/),
  second('an id that is there twice', search('a'), '/id', /also the id of call 0/),
  refused(
    'needs of ids that are names of a prototype',
    { calls: [search('a', { q: 'x' }, { needs: ['__proto__', 'constructor'] })] },
    [
      ['/body/calls/0/needs/0', /not the id of a call/],
      ['/body/calls/0/needs/1', /not the id of a call/],
    ],
  ),

  // Operations
  one('an operation that is a number', { id: 'a', operation: 7 }, '/operation', /name of an operation/),
  one(
    'an unknown operation',
    { id: 'a', operation: 'shop.sell' },
    '/operation',
    /name of an operation or an aggregate/,
  ),
  one('an operation without batch', { id: 'a', operation: 'shop.vat' }, '/operation', /that batches may call/),
  one('an upstream without its operation', { id: 'a', operation: 'shop' }, '/operation', /that batches may call/),
  one('an aggregate without batch', { id: 'a', operation: 'wishes' }, '/operation', /that batches may call/),
  one(
    'an operation with the name of a prototype',
    { id: 'a', operation: '__proto__' },
    '/operation',
    /that batches may call/,
  ),
  refused(
    'unsafe calls in a QUERY',
    { calls: [order('a', { lines: [line] }), { id: 'b', operation: 'checkout', input: { body: { total: 1 } } }] },
    [
      ['/body/calls/0/operation', /a QUERY only reads/],
      ['/body/calls/1/operation', /a QUERY only reads/],
    ],
    'QUERY',
  ),

  // Needs
  one('an unknown need', search('a', { q: 'x' }, { needs: ['z'] }), '/needs/0', /not the id of a call/),
  one('a call that needs itself', search('a', { q: 'x' }, { needs: ['a'] }), '', /needs itself: a → a/),
  refused(
    'a cycle of two',
    { calls: [search('a', { q: 'x' }, { needs: ['b'] }), search('b', { q: 'x' }, { needs: ['a'] })] },
    [['/body/calls/0', /needs itself: a → b → a/]],
  ),
  refused(
    'a cycle of three by references',
    {
      calls: [
        item('a', { id: ref('b#/data/id') }),
        item('b', { id: ref('c#/data/id') }),
        item('c', { id: ref('a#/data/id') }),
      ],
    },
    [['/body/calls/0', /needs itself: a → b → c → a/]],
  ),
  refused(
    'two cycles',
    {
      calls: [
        search('a', { q: 'x' }, { needs: ['b'] }),
        search('b', { q: 'x' }, { needs: ['a', 'c'] }),
        search('c', { q: 'x' }, { needs: ['d'] }),
        search('d', { q: 'x' }, { needs: ['c'] }),
      ],
    },
    [
      ['/body/calls/2', /needs itself: c → d → c/],
      ['/body/calls/0', /needs itself: a → b → a/],
    ],
  ),

  // References
  second('a reference without #', item('b', { id: ref('a') }), '/input/id', /without #/),
  second('a reference to an unknown id', item('b', { id: ref('z#/data') }), '/input/id', /no call of this batch has/),
  second(
    'a reference that is not into the data',
    item('b', { id: ref('a#/status') }),
    '/input/id',
    /begin with \/data/,
  ),
  second('a pointer without /', item('b', { id: ref('a#data') }), '/input/id', /does not begin with \//),
  second('a ~ that is not escaped', item('b', { id: ref('a#/data/~2') }), '/input/id', /~0 or ~1/),
  second('a pointer that is not UTF-8', item('b', { id: ref('a#/data/%zz') }), '/input/id', /percent-encoded UTF-8/),
  second(
    'a reference with other fields',
    item('b', { id: ref('a#/data/0/id', { or: 'x' }) }),
    '/input/id',
    /beside \$ref/,
  ),
  second('a reference that is a number', item('b', { id: ref(7) }), '/input/id', /not a text/),
  second('a pointer into a text', item('b', { id: ref('a#/data/0/id/0') }), '/input/id', /points to nothing/),
  second(
    'a pointer to a field that no item has',
    item('b', { id: ref('a#/data/0/name') }),
    '/input/id',
    /points to nothing/,
  ),
  second('a pointer to a prototype', item('b', { id: ref('a#/data/__proto__/id') }), '/input/id', /points to nothing/),

  // Values of references that the input cannot take
  second(
    'a number where the input takes a text',
    item('b', { id: ref('a#/data/0/price') }),
    '/input/id',
    /a number.*takes a text/,
  ),
  second('a list where the input takes a text', item('b', { id: ref('a#/data') }), '/input/id', /a list.*takes a text/),
  second(
    'a text where the input takes a list',
    order('b', { lines: ref('a#/data/0/id') }),
    '/input/body/lines',
    /takes a list/,
  ),
  second(
    'a text where the input takes true or false',
    order('b', { lines: [line], gift: ref('a#/data/0/id') }),
    '/input/body/gift',
    /takes true or false/,
  ),
  second(
    'an object where an aggregate takes a number',
    { id: 'b', operation: 'checkout', input: { body: { total: ref('a#/data/0') } } },
    '/input/body/total',
    /an object.*takes a number/,
  ),

  // Inputs that are refused
  refused('two values that the schema refuses', { calls: [search('a', { q: '', limit: 11 })] }, [
    ['/body/calls/0/input/q', /Too small/],
    ['/body/calls/0/input/limit', /Too big/],
  ]),
  second(
    'a literal beside a reference that the schema refuses',
    item('b', { id: ref('a#/data/0/id'), currency: 'GBP' }),
    '/input/currency',
    /expected one of/,
  ),
  second(
    'a field that the input does not have',
    item('b', { id: 'x', color: 'red' }),
    '/input/color',
    /not a field of this input/,
  ),
  one('an input that is a list', search('a', ['q']), '/input', /must be an object with the fields/),
  second('a reference as the whole input', item('b', ref('a#/data/0')), '/input', /must be an object with the fields/),
  one(
    'no headers where some are needed',
    { id: 'a', operation: 'shop.quote', input: { id: 'x' } },
    '/input/headers/x-tenant',
    /is missing/,
  ),
  second(
    'a reference as the whole query of an aggregate',
    { id: 'b', operation: 'cart', input: { params: { user: 'x' }, query: ref('a#/data/0') } },
    '/input/query',
    /a field for each name/,
  ),
  one(
    'a number beyond the largest double',
    search('a', { q: 'x', limit: Infinity }),
    '/input/limit',
    /beyond the largest double/,
  ),
  one(
    'a key beyond the largest double',
    { id: 'a', operation: 'shop.prices', input: Infinity },
    '/input',
    /beyond the largest double/,
  ),
  one('a key that is refused', { id: 'a', operation: 'shop.prices', input: '' }, '/input', /Too small/),
  one('a part of a path that is refused', item('a', { id: '..' }), '/input', /id/),
  one('a field with the name of a prototype', search('a', withProto), '/input/__proto__', /not a field of this input/),
  refused(
    'a missing field, and a field that a strict object does not have',
    { calls: [order('a', { lines: [{ sku: 'x', count: 1, gift: true }, { sku: 'x' }] })] },
    [
      ['/body/calls/0/input/body/lines/0', /Unrecognized key: "gift"/],
      ['/body/calls/0/input/body/lines/1/count', /is missing/],
    ],
  ),
  one(
    'a header that is refused',
    { id: 'a', operation: 'shop.quote', input: { id: 'x', headers: { 'x-tenant': 'y' } } },
    '/input/headers/x-tenant',
    /Too small/,
  ),
  refused(
    'an input of an aggregate that is refused',
    { calls: [{ id: 'a', operation: 'cart', input: { query: { items: 9 }, body: {}, headers: {} } }] },
    [
      ['/body/calls/0/input/headers', /not a field of this input: it has params, query, body/],
      ['/body/calls/0/input/params/user', /is missing/],
      ['/body/calls/0/input/query/items', /Too big/],
      ['/body/calls/0/input/body', /no schema of body/],
    ],
  ),

  // Sizes
  refused('101 calls', { calls: Array.from({ length: 101 }, (_, index) => search(`c${index}`)) }, [
    ['/body/calls', /has 101 calls, and a batch has at most 100/],
  ]),
  refused(
    '1001 references',
    {
      calls: [
        search('a'),
        order('b', { lines: Array.from({ length: 1001 }, () => ({ sku: ref('a#/data/0/id'), count: 1 })) }),
      ],
    },
    [['/body/calls', /more than 1000 references/]],
  ),
  {
    title: 'a body above the limit',
    kind: 'oversized',
    body: { calls: [search('a', { q: 'x'.repeat(2 * 1024 * 1024) })] },
  },

  // Calls that are not sent, beside calls that are
  {
    title: 'a need that failed, and what needs it',
    kind: 'answered',
    body: {
      calls: [
        item('a', { id: 'broken' }),
        search('b', { q: 'x' }, { needs: ['a'] }),
        search('c', { q: 'x' }, { needs: ['b'] }),
        search('d'),
      ],
    },
    results: { a: [503, 'UPSTREAM_BUSY'], b: [424, 'DEPENDENCY_FAILED'], c: [424, 'DEPENDENCY_FAILED'], d: [200] },
  },
  {
    title: 'an optional need that failed, which orders one call and gives another its input',
    kind: 'answered',
    body: {
      calls: [
        item('a', { id: 'broken' }, { optional: true }),
        search('b', { q: 'x' }, { needs: ['a'] }),
        item('c', { id: ref('a#/data/id') }),
      ],
    },
    results: { a: [503, 'UPSTREAM_BUSY'], b: [200], c: [424, 'DEPENDENCY_FAILED'] },
  },
  {
    title: 'a reference that points to nothing in this answer',
    kind: 'answered',
    body: {
      calls: [
        search('a', { q: 'nothing' }),
        item('b', { id: ref('a#/data/0/id') }),
        search('c', { q: 'x' }, { needs: ['b'] }),
      ],
    },
    results: { a: [200], b: [424, 'REFERENCE_INVALID'], c: [424, 'DEPENDENCY_FAILED'] },
  },
  {
    title: 'an input that is refused with the value of its reference',
    kind: 'answered',
    body: { calls: [search('a'), order('b', { lines: [{ sku: 'x', count: ref('a#/data/0/sizes/0') }] })] },
    results: { a: [200], b: [424, 'REFERENCE_INVALID'] },
  },
]
