import fc from 'fast-check'
import { test } from 'tap'
import { DecodedPath, matchSegments, pathSegments } from '../../../src/http/routing/match-path.ts'
import { fastifyPath, parameterNames, pathShape, segmentsOf } from '../../../src/http/routing/path-template.ts'
import { compareSpecificity, mayOverlap } from '../../../src/http/routing/specificity.ts'
import { fillWith, templates, valueLists } from '../../helpers/templates.ts'

const options = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

const match = (path: string, url: string) =>
  matchSegments(segmentsOf(path), new DecodedPath(pathSegments(url, options), true))

/** A template and values that it can be filled with. */
const filled = fc
  .tuple(templates, valueLists)
  .map(([path, all]) => {
    const values = all.slice(0, parameterNames(path).length)
    return { path, values, url: fillWith(path, values) }
  })
  .filter((each): each is typeof each & { readonly url: string } => each.url !== undefined)

/**
 * Whether a value may hold the text beside it. It holds one of its characters, and the character is equal encoded and
 * unencoded.
 */
function isAmbiguous(path: string, values: readonly string[]): boolean {
  let first = 0
  return segmentsOf(path).some(({ names, literals, isDecoded }) => {
    const own = values.slice(first, (first += names.length)).join('')
    const between = literals.slice(1, -1).join('')
    return Array.from(between).some(each => own.includes(each) && (isDecoded || !';/?:@&=+$,#'.includes(each)))
  })
}

test('matching returns the values with which a template was filled', t => {
  let exact = 0
  fc.assert(
    fc.property(filled, ({ path, values, url }) => {
      const found = match(path, url)
      if (found === undefined) return false
      if (isAmbiguous(path, values)) return true
      exact++
      return found.length === values.length && found.every((each, index) => each === values[index])
    }),
    { numRuns: 3000 },
  )
  t.ok(exact > 1500, `${exact} were compared`)
  t.end()
})

test('a URL that is filled with the values that matched gives the same values', t => {
  fc.assert(
    fc.property(filled, ({ path, values, url }) => {
      const found = match(path, url) ?? []
      const again = fillWith(path, found)
      // Where the text between two values is a part of one, the match may give a value such as '.', which no call takes.
      if (again === undefined) return JSON.stringify(found) !== JSON.stringify(values)
      return JSON.stringify(match(path, again)) === JSON.stringify(found)
    }),
    { numRuns: 2000 },
  )
  t.end()
})

test('the values on the left are as long as possible', t => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('-', 'a', '--'), { minLength: 1, maxLength: 8 }), parts => {
      const text = parts.join('')
      const found = match('/{a}-{b}-{c}', `/${text}`)
      const all = Array.from(text).flatMap((_, first) =>
        Array.from(text, (_each, second) => [
          text.slice(0, first),
          text.slice(first + 1, second),
          text.slice(second + 1),
        ]),
      )
      const [best] = all
        .filter(each => each.every(part => part !== '') && each.join('-') === text)
        .sort(([a = '', b = ''], [c = '', d = '']) => c.length + d.length - a.length - b.length || c.length - a.length)
      return JSON.stringify(found) === JSON.stringify(best)
    }),
    { numRuns: 500 },
  )
  t.end()
})

test('an empty value never matches, and a value has no slash of the path', t => {
  fc.assert(
    fc.property(templates, fc.string(), (path, text) => {
      const found = match(path, `/${encodeURIComponent(text).replaceAll('%2F', '/')}`)
      return found === undefined || found.every(each => each !== '')
    }),
  )
  t.end()
})

test('the order of templates is total, and equal only for templates of one shape', t => {
  fc.assert(
    fc.property(templates, templates, templates, (a, b, c) => {
      const [one, two, three] = [segmentsOf(a), segmentsOf(b), segmentsOf(c)]
      const order = compareSpecificity(one, two)
      return (
        Math.sign(order) === -Math.sign(compareSpecificity(two, one)) &&
        (order === 0) === (pathShape(a) === pathShape(b)) &&
        !(order < 0 && compareSpecificity(two, three) < 0 && compareSpecificity(one, three) >= 0)
      )
    }),
    { numRuns: 2000 },
  )
  t.end()
})

test('two templates that match one URL are known to overlap', t => {
  fc.assert(
    fc.property(filled, templates, ({ path, url }, other) =>
      other.split('/').length !== path.split('/').length || match(other, url) === undefined
        ? true
        : mayOverlap(segmentsOf(path), segmentsOf(other)),
    ),
    { numRuns: 2000 },
  )
  t.end()
})

test("the pattern for Fastify's router accepts every URL of its template", t => {
  fc.assert(
    fc.property(filled, ({ path, url }) => {
      const segments = url.slice(1).split('/')
      return fastifyPath(path)
        .slice(1)
        .split('/')
        .every((each, index) => {
          const source = each
            .replaceAll('::', '\u0000')
            .replaceAll(/:\w+(?:\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\))?|[^]/g, (token, own: string | undefined) =>
              token.length > 1
                ? `(${own ?? '[^]*'})`
                : `\\u${(token === '\u0000' ? ':' : token).charCodeAt(0).toString(16).padStart(4, '0')}`,
            )
          return new RegExp(`^${source}$`).test(decodeURIComponent(segments[index] as string))
        })
    }),
    { numRuns: 1000 },
  )
  t.end()
})

test('matching takes linear time', t => {
  const hostile = ['-', 'a', 'a-', '--a', '%2C', ',', '%C3%A9']
  const time = (path: string, url: string) => {
    const start = process.hrtime.bigint()
    for (let times = 0; times < 5; times++) match(path, url)
    return Number(process.hrtime.bigint() - start) / 5e6
  }
  for (const path of ['/{a}-{b}-{c}-{d}x', '/{a}aa{b}aab{c}', '/{a},{b},{c}', '/x{a}%2C{b}%2C{c}y'])
    for (const part of hostile) time(path, `/${part.repeat(Math.ceil(500_000 / part.length))}`)
  for (const path of ['/{a}-{b}-{c}-{d}x', '/{a}aa{b}aab{c}', '/{a},{b},{c}', '/x{a}%2C{b}%2C{c}y'])
    for (const part of hostile) {
      const ms = time(path, `/${part.repeat(Math.ceil(500_000 / part.length))}`)
      t.ok(ms < 300, `${path} with ${part}: ${ms} ms for 500,000 characters`)
    }
  t.end()
})
