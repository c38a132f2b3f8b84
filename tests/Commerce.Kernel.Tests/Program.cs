using Commerce.Kernel.Tests.Outbox;

return args is ["outbox-child", ..] ? await OutboxChild.RunAsync(args) : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
