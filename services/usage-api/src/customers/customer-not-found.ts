import { DomainError } from '@billtrail/domain'

/** Also for a customer of another organization: nobody learns that it exists. */
export const customerNotFound = (id: string): DomainError =>
  new DomainError('not_found', 'customer_not_found', `There is no customer ${id}.`)
