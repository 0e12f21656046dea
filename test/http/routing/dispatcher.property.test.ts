import fastify from 'fastify'
import fc from 'fast-check'
import { test } from 'tap'
import { headwaters } from '../../../src/http/plugin.ts'
import { DecodedPath, matchSegments, pathSegments } from '../../../src/http/routing/match-path.ts'
import { pathShape, segmentsOf } from '../../../src/http/routing/path-template.ts'
import { compareSpecificity } from '../../../src/http/routing/specificity.ts'
import { echoAggregate } from '../../helpers/echo-aggregate.ts'
import { fillWith, templates, valueLists } from '../../helpers/templates.ts'

const options = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

/** Templates of few segments that differ little, so that many of them match one URL. */
const crowded = fc
  .array(
    fc.constantFrom('{}', '{}', '{}:a', '{}a', 'a{}', '{},{}', '{}-{}', '{}%2C{}', 'a', 'a,a', 'a%2Ca', 'a:a', '-'),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map(each => {
    let count = 0
    return `/${each.join('/')}`.replaceAll('{}', () => `{p${count++}}`)
  })

/** URLs of the same few segments, of which many match several templates or none. */
const crowdedUrls = fc
  .array(
    fc.constantFrom(
      'a',
      'aa',
      ':a',
      '7:a',
      '7%3Aa',
      '1,2',
      '1%2C2',
      'a,a',
      'a%2ca',
      'a-a',
      'a%2Da',
      '-',
      'a:a',
      '7',
      '-1,a',
    ),
    {
      minLength: 1,
      maxLength: 2,
    },
  )
  .map(each => `/${each.join('/')}`)

/** Templates that aggregates of one app may have, the most specific one first. */
const served = fc
  .uniqueArray(
    fc.oneof(
      { weight: 9, arbitrary: crowded },
      templates.filter(each => !/\/:[A-Za-z_]/.test(each)),
    ),
    {
      selector: pathShape,
      minLength: 1,
      maxLength: 8,
    },
  )
  .map(each => each.toSorted((one, other) => compareSpecificity(segmentsOf(one), segmentsOf(other))))

test('the app serves the most specific template that matches a URL', async t => {
  const counts = { none: 0, several: 0 }
  await fc.assert(
    fc.asyncProperty(
      served,
      fc.nat(),
      fc.array(valueLists, { maxLength: 4 }),
      fc.array(crowdedUrls, { minLength: 12, maxLength: 12 }),
      async (all, order, lists, urls) => {
        const app = fastify({ routerOptions: { maxParamLength: 1000 } })
        const declared = all.map((url, index) => echoAggregate(`a${index}`, url))
        const rotated = [...declared.slice(order % all.length), ...declared.slice(0, order % all.length)]
        await app.register(headwaters, { aggregates: order % 2 === 0 ? rotated : rotated.toReversed() })
        const filled = lists.flatMap((values, index) => fillWith(all[index % all.length] as string, values) ?? [])
        for (const url of [...urls, ...filled]) {
          const found = matching(all, url)
          if (found.length === 0) counts.none++
          if (found.length > 1) counts.several++
          const { statusCode, body } = await app.inject(url)
          const got = statusCode === 404 ? undefined : body
          if (got !== found[0]) throw new Error(`${url} of ${all.join(' ')}: ${got}, not ${found[0]}`)
        }
        await app.close()
      },
    ),
    { numRuns: 150 },
  )
  t.ok(counts.none > 100 && counts.several > 30, JSON.stringify(counts))
})

/** Returns the replies of the templates that match a URL. */
function matching(all: readonly string[], url: string): string[] {
  const path = new DecodedPath(pathSegments(url, options), true)
  return all.flatMap((each, index) => {
    const segments = segmentsOf(each)
    const values = segments.length === path.length ? matchSegments(segments, path) : undefined
    return values === undefined ? [] : JSON.stringify([`a${index}`, ...values])
  })
}
