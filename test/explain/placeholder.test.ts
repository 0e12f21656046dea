import { test } from 'tap'
import { placeholder, tokenOf, unknownListOf } from '../../src/explain/placeholder.ts'
import { TemplateBook } from '../../src/explain/template-book.ts'

/** A value of any shape, as a function of an aggregate sees it. */
// oxlint-disable-next-line typescript/no-explicit-any -- the functions of aggregates see typed values
type Any = any

function arrange() {
  const book = new TemplateBook()
  const value = placeholder(book, 'found') as Any
  return { book, value, shown: (given: unknown) => book.shown(String(given)) }
}

test('a field, an item and the result of a method are templates', t => {
  const { value, shown } = arrange()
  t.equal(shown(value), '{found}')
  t.equal(shown(value.a.b), '{found.a.b}')
  t.equal(shown(value[3].name), '{found[3].name}')
  t.equal(shown(value['x-y']), '{found.x-y}')
  t.equal(shown(value.name.trim().toLowerCase()), '{found.name.trim().toLowerCase()}')
  t.equal(shown(value.slice(1)), '{found.slice()}')
  t.equal(shown(`${value.a}/${value.b}`), '{found.a}/{found.b}')
  t.equal(shown(String(value.a).toUpperCase()), '{found.a}', 'the case of a token does not matter')
  t.equal(value.a, value.a, 'the same field is the same value')
  t.end()
})

test('a template is NaN as a number, has no fields of its own, and can be awaited', async t => {
  const { value, book } = arrange()
  t.ok(Number.isNaN(Number(value)))
  t.ok(Number.isNaN(value.a * 2))
  t.equal(await value, value)
  t.same(Object.keys(value), [])
  t.equal(value.length > 0, false)
  t.notOk('a' in value)
  t.notOk(value instanceof Object)
  t.equal(Object.getOwnPropertyDescriptor(value, 'a'), undefined)
  t.equal(value[Symbol.asyncIterator], undefined)
  value.a = 1
  delete value.a
  t.equal(book.shown(String(value.a)), '{found.a}', 'a change has no effect')
  t.equal(book.shown(JSON.stringify({ value })), '{"value":"{found}"}')
  t.equal(book.shown(String(value.valueOf())), '{found}')
})

test('a list of a template has one item', t => {
  const { value, shown } = arrange()
  t.same([...value].map(shown), ['{found[*]}'])
  const mapped = value
    .toSorted()
    .slice(0, 9)
    .slice(2, 5)
    .map((item: Any) => shown(item.id))
  t.same(mapped, ['{found[*].id}'])
  t.same(unknownListOf(mapped), { of: 'found', atMost: 3 })
  t.same(unknownListOf(value.slice(-2).map(() => 1)), { of: 'found', atMost: undefined })
  t.same(value.flatMap(({ tags }: Any) => [tags, 1]).length, 2)
  t.equal(shown(value.pop()), '{found[*]}')
  t.equal(shown(value.at(-1)), '{found.at(-1)}')
  t.equal(unknownListOf([1]), undefined)
  t.equal(unknownListOf(7), undefined)
  t.end()
})

test('only a template has a token', t => {
  const { value, book } = arrange()
  t.ok(book.hasToken(tokenOf(value) as string))
  for (const other of [undefined, 1, 'found', {}, () => {}]) t.equal(tokenOf(other), undefined)
  t.end()
})

test('a text with parts of tokens is shown without them', t => {
  const { value, book, shown } = arrange()
  const token = String(value)
  t.equal(shown(token.slice(0, -1)), '{…}')
  t.equal(shown(`${token.slice(0, -1)}9z`), '{…}z')
  t.match(shown(`a${token}b${token}`), 'a{found}b{found}')
  t.same(book.templatesIn(`x${token}`), ['found'])
  t.match(shown(placeholder(book, 'y'.repeat(300))), /^\{y{200}…\}$/)
  t.end()
})

test('the templates of a text are found in a time that grows with the text only', t => {
  const { book } = arrange()
  const tokens = Array.from({ length: 10_000 }, (_, index) => book.tokenOf(`found[${index}].id`))
  t.same(book.templatesIn(`${tokens[7]}/${tokens[3]?.toUpperCase()}/${tokens[7]}`), ['found[7].id', 'found[3].id'])
  t.same(book.templatesIn(`${tokens[0]?.slice(0, -1)}99999z`), [], 'a token that the book does not have')
  const startedAt = performance.now()
  const found = tokens.flatMap(token => book.templatesIn(token))
  t.ok(performance.now() - startedAt < 2_000)
  t.equal(found.length, tokens.length)
  t.end()
})

test('the reads of one function are limited', t => {
  const { value, book } = arrange()
  t.throws(
    () => {
      for (let at = value; at; at = at.next);
    },
    { name: 'RangeError', message: 'the function read more than 10000 values that are not known' },
  )
  book.begin()
  t.ok(value.next, 'the next function has its own limit')
  t.end()
})
