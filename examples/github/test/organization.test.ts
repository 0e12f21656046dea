import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from 'headwaters'
import { runAggregate, scriptedUpstream } from 'headwaters/testing'
import { organization } from '../aggregates/organization.ts'
import { github } from '../upstreams/github.ts'

const input = { params: { org: 'rivers' } }
const next = '<https://api.github.com/orgs/rivers/repos?per_page=100&page=2>; rel="next"'
const delta = {
  name: 'delta',
  stars: 90,
  lead: 'Ada Brook',
  contributors: ['ada'],
  note: null,
  languages: { Go: 4000 },
}
const ford = { ...delta, name: 'ford', stars: 10 }

/** An upstream with two pages, each with one repository. A test queues the calls that differ. */
async function rivers() {
  const upstream = await scriptedUpstream()
  return upstream
    .always(github.organization, { login: 'rivers', public_repos: 2 })
    .always(github.repositories, [{ name: 'delta', stargazers_count: 90 }], { headers: { link: next } })
    .always(github.repositories({ org: 'rivers', per_page: 100, page: '2' }), [{ name: 'ford', stargazers_count: 10 }])
    .always(github.contributors, [{ login: 'ada' }])
    .always(github.languages, { Go: 4000 })
    .always(github.user, { login: 'ada', name: 'Ada Brook' })
}

test('an organization has the repositories of all pages', async () => {
  await using upstream = await rivers()
  const { data, complete } = await runAggregate(organization, input, { upstreams: { github: upstream } })
  assert.deepEqual(data, { login: 'rivers', repositories: [delta, ford] })
  assert.equal(complete, true)
  // Both repositories have the same lead, whose profile is requested once.
  assert.equal(upstream.calls.filter(({ path }) => path === '/users/ada').length, 1)
})

test('a repository without its languages is there, and the reply is partial', async () => {
  await using upstream = await rivers()
  const languages = github.languages({ owner: 'rivers', repo: 'ford' })
  // The failed call is sent again, so two failures are queued.
  upstream.status(languages, 500).status(languages, 500)
  const { data, complete, sources } = await runAggregate(organization, input, { upstreams: { github: upstream } })
  assert.deepEqual(data.repositories, [delta, { ...ford, languages: null }])
  assert.equal(complete, false)
  assert.equal(sources.languages.failed?.[0]?.code, 'UPSTREAM_STATUS')
})

test('a repository without its contributors has its languages', async () => {
  await using upstream = await rivers()
  upstream.malformed(github.contributors({ owner: 'rivers', repo: 'delta', per_page: 5 }))
  const { data, sources } = await runAggregate(organization, input, { upstreams: { github: upstream } })
  assert.deepEqual(data.repositories, [{ ...delta, lead: null, contributors: null }, ford])
  assert.equal(sources.people.state, 'partial')
})

test('the reason of GitHub for a list of contributors that it does not send is a note', async () => {
  await using upstream = await rivers()
  upstream.status(github.contributors({ owner: 'rivers', repo: 'delta', per_page: 5 }), 403, {
    body: { message: 'The list is too large.', documentation_url: 'https://docs.github.com' },
  })
  const { data, complete } = await runAggregate(organization, input, { upstreams: { github: upstream } })
  assert.deepEqual(data.repositories[0], { ...delta, lead: null, contributors: null, note: 'The list is too large.' })
  assert.equal(complete, true)
})

test('a page that fails leaves the repositories before it', async () => {
  await using upstream = await rivers()
  const second = github.repositories({ org: 'rivers', per_page: 100, page: '2' })
  upstream.status(second, 502).status(second, 502)
  const { data, complete, sources } = await runAggregate(organization, input, { upstreams: { github: upstream } })
  assert.deepEqual(data.repositories, [delta])
  assert.equal(complete, false)
  assert.equal(sources.pages.state, 'partial')
})

test('a first page that fails is a partial reply, and not an unknown organization', async () => {
  await using upstream = await rivers()
  upstream.status(github.repositories, 500).status(github.repositories, 500)
  const { data, complete } = await runAggregate(organization, input, { upstreams: { github: upstream } })
  assert.deepEqual(data.repositories, [])
  assert.equal(complete, false)
})

test('an unknown organization is a 404 with a code', async () => {
  await using upstream = await scriptedUpstream()
  upstream.status(github.organization, 404).status(github.repositories, 404)
  await assert.rejects(
    runAggregate(organization, { params: { org: 'deserts' } }, { upstreams: { github: upstream } }),
    error => error instanceof Problem && error.statusCode === 404 && error.authorCode === 'ORGANIZATION_UNKNOWN',
  )
})
