/** What a promise is rejected with; one that is fulfilled is the failure then. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`it should have failed, and answered ${JSON.stringify(value)}`)
}
