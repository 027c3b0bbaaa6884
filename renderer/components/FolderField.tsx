/** The path of a folder on this laptop, typed or picked. */
import type { CallInput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { PathField, type PathProps } from './PathField.tsx';

interface Props extends PathProps {
  what: CallInput<'pick.folder'>['what'];
}

export const FolderField = ({ what, ...field }: Props) => (
  <PathField {...field} browse={`Browse… ${field.label}`} pick={() => call('pick.folder', { what })} />
);
