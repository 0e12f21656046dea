/** One case of the specification: the header lines of a request, and the trace context that results. */
export interface SpecificationCase {
  readonly title: string
  /** Names and values, in the order in which they are sent. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** The flags that are passed on; `new` if the `traceparent` is ignored and a new trace starts. */
  readonly flags: number | 'new'
  /** The `tracestate` that is passed on. @default none */
  readonly tracestate?: string
}

export const traceId = '12345678901234567890123456789012'
export const spanId = '1234567890123456'
const valid = `00-${traceId}-${spanId}-01`

/** A request with these `traceparent` lines. */
const parents = (title: string, flags: number | 'new', ...values: string[]): SpecificationCase => ({
  title,
  lines: values.map(value => ['traceparent', value]),
  flags,
})

/** A request with a valid `traceparent` and these `tracestate` lines. */
const states = (title: string, tracestate: string | undefined, ...values: string[]): SpecificationCase => ({
  title,
  lines: [['traceparent', valid], ...values.map(value => ['tracestate', value] as const)],
  flags: 1,
  ...(tracestate !== undefined && { tracestate }),
})

const members = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `bar${from + at}=${from + at}`).join(',')

/** All characters that a value may have, from space to tilde, without comma and equals sign. */
const characters = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at))
  .filter(character => character !== ',' && character !== '=')
  .join('')
const keyCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/'

/** Cases of W3C Trace Context, level 1, and of the flags of level 2. */
export const specification: readonly SpecificationCase[] = [
  parents('no traceparent', 'new'),
  parents('a sampled trace', 1, valid),
  parents('a trace that is not sampled', 0, `00-${traceId}-${spanId}-00`),
  { title: 'a name in mixed case', lines: [['TraceParent', valid]], flags: 1 },
  { title: 'a name in upper case', lines: [['TRACEPARENT', valid]], flags: 1 },
  { title: 'a name with a hyphen', lines: [['trace-parent', valid]], flags: 'new' },
  { title: 'a name with a dot', lines: [['trace.parent', valid]], flags: 'new' },
  parents('an empty traceparent', 'new', ''),
  parents('two equal traceparents', 'new', valid, valid),
  parents('two different traceparents', 'new', valid, `00-${traceId}-1234567890123457-01`),
  parents('a later version and a second traceparent', 'new', `cc-${traceId}-${spanId}-01-x`, valid),

  parents('version 00 with a dot at the end', 'new', `${valid}.`),
  parents('version 00 with a dash at the end', 'new', `${valid}-`),
  parents('version 00 with a further field', 'new', `${valid}-what-the-future-will-be-like`),
  parents('version cc', 1, `cc-${traceId}-${spanId}-01`),
  parents('version cc with a dash at the end', 1, `cc-${traceId}-${spanId}-01-`),
  parents('version cc with further fields', 1, `cc-${traceId}-${spanId}-01-what-the-future-will-be-like`),
  parents(
    'version cc with a dot after the flags',
    'new',
    `cc-${traceId}-${spanId}-01.what-the-future-will-not-be-like`,
  ),
  parents('version cc that is too short', 'new', `cc-${traceId}-${spanId}-0`),
  parents('version 01 with a wrong trace id', 'new', `01-.${traceId.slice(1)}-${spanId}-01`),
  parents('version fe', 0, `fe-${traceId}-${spanId}-00`),
  parents('version ff', 'new', `ff-${traceId}-${spanId}-01`),
  parents('a version in upper case', 'new', `CC-${traceId}-${spanId}-01`),
  parents('a version that begins with a dot', 'new', `.0-${traceId}-${spanId}-01`),
  parents('a version that ends with a dot', 'new', `0.-${traceId}-${spanId}-01`),
  parents('a version of three digits', 'new', `000-${traceId}-${spanId}-01`),
  parents('a version of four digits', 'new', `0000-${traceId}-${spanId}-01`),
  parents('a version of one digit', 'new', `0-${traceId}-${spanId}-01`),
  parents('no version', 'new', `${traceId}-${spanId}-01`),

  parents('a trace id of zeros', 'new', `00-${'0'.repeat(32)}-${spanId}-01`),
  parents('a trace id that begins with a dot', 'new', `00-.${traceId.slice(1)}-${spanId}-01`),
  parents('a trace id that ends with a dot', 'new', `00-${traceId.slice(1)}.-${spanId}-01`),
  parents('a trace id in upper case', 'new', `00-${'ABCDEF12'.repeat(4)}-${spanId}-01`),
  parents('a trace id that is too long', 'new', `00-${traceId}3-${spanId}-01`),
  parents('a trace id that is too short', 'new', `00-${traceId.slice(1)}-${spanId}-01`),

  parents('a parent id of zeros', 'new', `00-${traceId}-${'0'.repeat(16)}-01`),
  parents('a parent id that begins with a dot', 'new', `00-${traceId}-.${spanId.slice(1)}-01`),
  parents('a parent id that ends with a dot', 'new', `00-${traceId}-${spanId.slice(1)}.-01`),
  parents('a parent id in upper case', 'new', `00-${traceId}-ABCDEF1234567890-01`),
  parents('a parent id that is too long', 'new', `00-${traceId}-${spanId}7-01`),
  parents('a parent id that is too short', 'new', `00-${traceId}-${spanId.slice(1)}-01`),

  parents('flags that begin with a dot', 'new', `00-${traceId}-${spanId}-.0`),
  parents('flags that end with a dot', 'new', `00-${traceId}-${spanId}-0.`),
  parents('flags in upper case', 'new', `00-${traceId}-${spanId}-0A`),
  parents('flags of three digits', 'new', `00-${traceId}-${spanId}-001`),
  parents('flags of one digit', 'new', `00-${traceId}-${spanId}-1`),
  parents('no flags', 'new', `00-${traceId}-${spanId}`),
  parents('the flag random-trace-id of level 2', 2, `00-${traceId}-${spanId}-02`),
  parents('the flags sampled and random-trace-id', 3, `00-${traceId}-${spanId}-03`),
  parents('an unknown flag, which becomes 0', 0, `00-${traceId}-${spanId}-04`),
  parents('unknown flags beside sampled', 1, `00-${traceId}-${spanId}-f9`),
  parents('all flags', 3, `00-${traceId}-${spanId}-ff`),
  parents('all flags of a later version', 3, `cc-${traceId}-${spanId}-ff`),

  parents('a space before the value', 1, ` ${valid}`),
  parents('a tab before the value', 1, `\t${valid}`),
  parents('a space after the value', 1, `${valid} `),
  parents('a tab after the value', 1, `${valid}\t`),
  parents('spaces and tabs around the value', 1, `\t ${valid} \t`),
  parents('a space inside the value', 'new', `00-${traceId} -${spanId}-01`),

  { title: 'a tracestate without a traceparent', lines: [['tracestate', 'foo=1,bar=2']], flags: 'new' },
  {
    title: 'a tracestate with an invalid traceparent',
    lines: [
      ['traceparent', `ff-${traceId}-${spanId}-01`],
      ['tracestate', 'foo=1'],
    ],
    flags: 'new',
  },
  {
    title: 'a tracestate before the traceparent',
    lines: [
      ['tracestate', 'foo=1'],
      ['traceparent', valid],
    ],
    flags: 1,
    tracestate: 'foo=1',
  },
  {
    title: 'a tracestate with a later version',
    lines: [
      ['traceparent', `cc-${traceId}-${spanId}-01-x`],
      ['tracestate', 'foo=1'],
    ],
    flags: 1,
    tracestate: 'foo=1',
  },
  states('a tracestate', 'foo=1,bar=2', 'foo=1,bar=2'),
  {
    title: 'a name of tracestate in mixed case',
    lines: [
      ['traceparent', valid],
      ['TrAcEsTaTe', 'foo=1'],
    ],
    flags: 1,
    tracestate: 'foo=1',
  },
  {
    title: 'a name of tracestate with a hyphen',
    lines: [
      ['traceparent', valid],
      ['trace-state', 'foo=1'],
    ],
    flags: 1,
  },
  states('an empty tracestate', undefined, ''),
  states('an empty tracestate after another', 'foo=1', 'foo=1', ''),
  states('an empty tracestate before another', 'foo=1', '', 'foo=1'),
  states('empty members', 'foo=1,bar=2', 'foo=1,, ,\t,bar=2,'),
  states('several tracestates', 'foo=1,bar=2,rojo=1,congo=2,baz=3', 'foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'),
  states('a key twice', undefined, 'foo=1,foo=1'),
  states('a key twice with different values', undefined, 'foo=1,foo=2'),
  states('a key in two headers', undefined, 'foo=1', 'foo=2'),
  states('all characters', `${keyCharacters}=${characters}`, `${keyCharacters}=${characters}`),
  states('all characters with a tenant', `9${keyCharacters}@a-z0-9_-*/=1`, `9${keyCharacters}@a-z0-9_-*/=1`),
  states('spaces and tabs around members', 'foo=1,bar=2,baz=3', 'foo=1 \t , \t bar=2, \t baz=3'),
  states('tabs around members', 'foo=1,bar=2', '\tfoo=1\t \t,\t \tbar=2 \t'),
  states('a space at the start of a value', 'foo= 1', 'foo= 1'),
  states('a space before the equals sign', undefined, 'foo =1'),
  states('a key in upper case', undefined, 'FOO=1'),
  states('a key with a dot', undefined, 'foo.bar=1'),
  states('a key that begins with a digit', undefined, '1foo=1'),
  states('a tenant that begins with a digit', '1foo@bar=1', '1foo@bar=1'),
  states('a system that begins with a digit', undefined, 'foo@1bar=1'),
  states('a member without an equals sign', undefined, 'foo'),
  states('a member without a key', undefined, '=1'),
  states('an empty system', undefined, 'foo@=1,bar=2'),
  states('an empty tenant', undefined, '@foo=1,bar=2'),
  states('two at signs in a row', undefined, 'foo@@bar=1,bar=2'),
  states('two at signs', undefined, 'foo@bar@baz=1,bar=2'),
  states('32 members', members(1, 32), members(1, 10), members(11, 20), members(21, 32)),
  states('33 members', undefined, members(1, 10), members(11, 20), members(21, 33)),
  states('a key of 256 characters', `foo=1,${'z'.repeat(256)}=1`, `foo=1,${'z'.repeat(256)}=1`),
  states('a key of 257 characters', undefined, `foo=1,${'z'.repeat(257)}=1`),
  states(
    'a tenant of 241 characters',
    `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
  ),
  states('a tenant of 242 characters', undefined, `foo=1,${'t'.repeat(242)}@v=1`),
  states('a system of 15 characters', undefined, `foo=1,t@${'v'.repeat(15)}=1`),
  states('a value of 256 characters', `foo=${'v'.repeat(256)}`, `foo=${'v'.repeat(256)}`),
  states('a value of 257 characters', undefined, `foo=${'v'.repeat(257)}`),
  states('two equals signs', undefined, 'foo=bar=baz'),
  states('an empty value', undefined, 'foo=,bar=3'),
  states('a character beyond ASCII', undefined, 'foo=\u00e9'),
  states('512 characters', `a=${'v'.repeat(254)},b=${'v'.repeat(253)}`, `a=${'v'.repeat(254)},b=${'v'.repeat(253)}`),
  states(
    '513 characters, without its last long member',
    `a=${'v'.repeat(254)}`,
    `a=${'v'.repeat(254)},b=${'v'.repeat(254)}`,
  ),
  states(
    'a long member is removed before short ones',
    Array.from({ length: 5 }, (_, at) => `k${at}=${'v'.repeat(90)}`).join(','),
    `l=${'v'.repeat(200)},${Array.from({ length: 5 }, (_, at) => `k${at}=${'v'.repeat(90)}`).join(',')}`,
  ),
  states(
    'short members are removed from the end',
    Array.from({ length: 5 }, (_, at) => `k${at}=${'v'.repeat(90)}`).join(','),
    Array.from({ length: 9 }, (_, at) => `k${at}=${'v'.repeat(90)}`).join(','),
  ),
]
