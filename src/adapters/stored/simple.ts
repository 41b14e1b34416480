/** The shapes of names and times, which all stored records share. */
import { instant } from '../../model/instant.ts';
import { serviceName, tenantName, versionName } from '../../model/names.ts';
import { length, parsed, text } from './shape.ts';

export const storedServiceName = parsed(text, serviceName);
export const storedVersionName = parsed(text, versionName);
export const storedTenantName = parsed(text, tenantName);
export const storedInstant = parsed(length, instant);
