import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from 'headwaters'
import { runAggregate } from 'headwaters/testing'
import { organization } from '../aggregates/organization.ts'
import { startGitHub } from '../demo/upstream.ts'

test('the imitated API serves five repositories in three pages', async () => {
  await using github = await startGitHub()
  const { data, complete, sources } = await runAggregate(
    organization,
    { params: { org: 'rivers' } },
    { upstreams: { github } },
  )
  const note = 'The contributor list is too large.'
  assert.deepEqual(
    data.repositories.map(({ name, lead, contributors, note }) => [name, lead, contributors, note]),
    [
      ['delta', 'Ada Brook', ['ada', 'ben'], null],
      ['estuary', 'ben', ['ben'], null],
      ['kernel', null, null, note],
      ['meander', 'Ada Brook', ['ada'], null],
      ['new', null, [], null],
    ],
  )
  assert.equal(sources.pages.calls, 3)
  assert.equal(complete, true)
})

test('the imitated API fails as a test orders', async () => {
  await using github = await startGitHub()
  github.fail('/orgs/rivers/repos?page=3')
  github.fail('/repos/rivers/delta/languages', 503)
  const { data, sources } = await runAggregate(organization, { params: { org: 'rivers' } }, { upstreams: { github } })
  assert.deepEqual(
    data.repositories.map(({ name, languages }) => [name, languages !== null]),
    [
      ['delta', false],
      ['estuary', true],
      ['kernel', true],
      ['meander', true],
    ],
  )
  assert.deepEqual([sources.pages.state, sources.languages.state], ['partial', 'partial'])
})

test('the imitated API does not know every organization', async () => {
  await using github = await startGitHub()
  await assert.rejects(
    runAggregate(organization, { params: { org: 'deserts' } }, { upstreams: { github } }),
    error => error instanceof Problem && error.authorCode === 'ORGANIZATION_UNKNOWN',
  )
})
