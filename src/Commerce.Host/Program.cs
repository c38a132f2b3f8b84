using Commerce.Host.CommandLine;

return await Verbs.Root().Parse(args).InvokeAsync();
