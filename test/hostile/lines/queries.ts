import { legal, refused, type Line } from '../helpers/line.ts'

/** No whole number of any range; written as they are on the wire. */
const noNumbers = [
  '',
  '%20',
  '+',
  '%09',
  '%0a',
  'abc',
  'NaN',
  'Infinity',
  '-Infinity',
  '1.5',
  '1e-1',
  '5e-324',
  '0x',
  '0xg',
  '0b2',
  '0o9',
  '1_0',
  '1,5',
  '1n',
  '1e',
  'e1',
  '.',
  '..',
  '--1',
  '1/0',
  '1%202',
  '1;2',
  '1:2',
  'true',
  'null',
  'undefined',
  '[]',
  '{}',
  '[1]',
  '%7b%22a%22:1%7d',
  '%d9%a3',
  '%ef%bc%93',
  '%c2%b2',
  '%e2%85%a7',
  '%e2%88%921',
  '1%e2%80%8b',
  '1%00',
  '%001',
  '1%0a2',
  '1%0d%0ax-injected:%201',
  '1%27',
  '1%22',
  '%3cscript%3e',
  '%24%7b7*7%7d',
  '%7b%7b7*7%7d%7d',
  '1%27%20OR%20%271%27=%271',
  '../1',
  '%2e%2e%2f1',
  '1%252f',
  '%2500',
]

/** Whole numbers of no range here. */
const outOfRange = [
  '-1',
  '-0',
  '0',
  '1e309',
  '-1e309',
  '1e400',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551616',
  '4294967297',
  '1e21',
  '0xffffffff',
  '501',
  `1${'0'.repeat(400)}`,
  '9'.repeat(5000),
  `-${'9'.repeat(5000)}`,
]

const brief = (text: string) => (text.length > 40 ? `${text.slice(0, 20)}… (${text.length} characters)` : text)

const values: readonly Line[] = [
  ...[...noNumbers, ...outOfRange].flatMap(text => [
    refused(`count=${brief(text)}`, { target: `/v1/cat-facts?count=${text}` }, '400 INPUT_INVALID'),
    refused(`max_length=${brief(text)}`, { target: `/v1/cat-facts?count=1&max_length=${text}` }, '400 INPUT_INVALID'),
  ]),
  ...['', 'abc', '-1', '21', '1.5', '1e309', '9'.repeat(400)].map(text =>
    refused(`facts=${brief(text)}`, { target: `/v1/breeds/siamese?facts=${text}` }, '400 INPUT_INVALID'),
  ),
]

const repeated: readonly Line[] = [
  ['a parameter twice', 'count=1&count=2'],
  ['a parameter twice, the same', 'count=1&count=1'],
  ['a parameter twice, once empty', 'count=1&count='],
  ['a parameter twice, once without a value', 'count&count=1'],
  ['a parameter twice, once with its name encoded', 'count=1&%63%6funt=2'],
  ['a parameter a thousand times', Array.from({ length: 1000 }, () => 'count=1').join('&')],
  ['two parameters twice', 'count=1&max_length=50&count=1&max_length=50'],
  ['a parameter of 10 KB', `count=${'1'.repeat(10_240)}`],
  ['a parameter without a value', 'count'],
  [
    'a bad parameter after 500 unknown ones',
    `${Array.from({ length: 500 }, (_, index) => `a${index}=${index}`).join('&')}&count=x`,
  ],
  ['a bad parameter beside a prototype', '__proto__=1&constructor=2&count=x'],
  ['a semicolon for an ampersand', 'count=1;max_length=50'],
].map(([what, query]) => refused(what as string, { target: `/v1/cat-facts?${query}` }, '400 INPUT_INVALID'))

const unknown: readonly Line[] = [
  'count[]=1',
  'count[a]=1',
  'count[0]=x&count[1]=y',
  'count%5b%5d=x',
  'count.a=1',
  'count[__proto__][a]=1',
  '__proto__=1',
  '__proto__[count]=x',
  '__proto__.count=x',
  'constructor=1',
  'constructor.prototype=1',
  'constructor[prototype][count]=x',
  'toString=1',
  'hasOwnProperty=1',
  'COUNT=x',
  '%20count=x',
  'count%00=x',
  'then=1',
  '?count=x',
  '=x',
  '&&&',
  '=',
  `a=${'%41'.repeat(4000)}`,
  Array.from({ length: 3000 }, () => 'a=1').join('&'),
].map(query =>
  legal(`?${brief(query)}`, 'a parameter of another name is ignored', { target: `/v1/cat-facts?${query}` }),
)

const lenient: readonly Line[] = [
  ...['1e1', '5.0', '05'].map(text =>
    legal(`count=${text}`, 'it is a whole number of the range', { target: `/v1/cat-facts?count=${text}` }),
  ),
  ...['0x10', '0b11', '0o7', '%2b5', '%205', '5%20', '5%0a', '%ef%bb%bf5'].map(text =>
    refused(`count=${text}`, { target: `/v1/cat-facts?count=${text}` }, '400 INPUT_INVALID'),
  ),
]

/** What can be in a query. */
export const queries: readonly Line[] = [
  ...values,
  ...repeated,
  ...unknown,
  ...lenient,
  legal('facts=-0', 'it is 0, which asks for none', { target: '/v1/breeds/siamese?facts=-0' }),
]
